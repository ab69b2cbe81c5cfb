import { addressOf, expandRange } from '../addresses.ts';
import { type Complaint, fault, type Path } from '../complaints.ts';
import { type HostEntry, hostEntries } from '../hosts/entries.ts';
import { type Draft, lineOf, placed, vipPlaces } from './draft.ts';

/** An address that a host says is its own, and the place where it says so. */
interface Claim {
  readonly host: string;
  readonly address: string;
  readonly path: Path;
  /** `host`: address, rip or dip, which may be the same, and one interface of the host carries them. */
  readonly kind: 'host' | 'interface' | 'source';
}

/** Rules about addresses that may be there only once. */
export function addressFaults(draft: Draft): readonly Complaint[] {
  const claims = hostEntries(draft.shape).flatMap(claimsOf);
  return [...doubles(claims, draft), ...vipFaults(claims, draft)];
}

function claimsOf({ name, path, said }: HostEntry): readonly Claim[] {
  const words = (['address', 'rip', 'dip'] as const).flatMap((word) =>
    placed(said[word], [...path, word]).map(({ value, at }) => ({ host: name, address: value, path: at, kind: 'host' as const })),
  );
  const interfaces = Object.entries(said.interfaces ?? {}).flatMap(([nic, cidrs]) =>
    placed(cidrs, [...path, 'interfaces', nic]).map(({ value, at }) => ({
      host: name,
      address: addressOf(value),
      path: at,
      kind: 'interface' as const,
    })),
  );
  const sources = (said.sources ?? []).flatMap((range, index) => {
    return expandRange(range).map((address) => ({ host: name, address, path: [...path, 'sources', index], kind: 'source' as const }));
  });
  return [...words, ...interfaces, ...sources];
}

/** One complaint for each host and address, however many words of that host say it, and one for a whole range. */
function doubles(claims: readonly Claim[], draft: Draft): readonly Complaint[] {
  const earlier = new Map<string, readonly Claim[]>();
  const complaints = new Map<string, Complaint>();
  for (const claim of claims) {
    const sameAddress = earlier.get(claim.address) ?? [];
    const rival = sameAddress.find((other) => clash(other, claim));
    const key = `${claim.host} ${claim.kind === 'source' ? claim.path.at(-1) : claim.address}`;
    if (rival && !complaints.has(key)) complaints.set(key, taken(claim, rival, draft));
    earlier.set(claim.address, [...sameAddress, claim]);
  }
  return [...complaints.values()];
}

function clash(one: Claim, other: Claim): boolean {
  if (one.host !== other.host) return true;
  return other.kind === 'source' || (other.kind === 'interface' && one.kind === 'interface');
}

function taken(claim: Claim, rival: Claim, draft: Draft): Complaint {
  const found = `the address ${claim.address} is taken: ${rival.host} has it ${lineOf(draft, rival.path)}`;
  return fault('duplicate-address', claim.path, found, 'every interface and every source needs an address of its own');
}

function vipFaults(claims: readonly Claim[], draft: Draft): readonly Complaint[] {
  return vipPlaces(draft).flatMap(({ vip, path }) => {
    const owner = claims.find((claim) => claim.address === vip);
    if (!owner) return [];
    const found = `the VIP ${vip} is an address of ${owner.host} ${lineOf(draft, owner.path)}`;
    return [fault('vip-in-use', path, found, 'a VIP belongs to no host: take an address that nothing else has')];
  });
}
