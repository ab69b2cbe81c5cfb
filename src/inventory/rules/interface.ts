import type { Host } from '../../model.ts';
import { addressOf, expandRange, inSubnet, subnetEdge } from '../addresses.ts';
import { type Complaint, fault, keyFault, type Path } from '../complaints.ts';
import { type HostEntry, hostEntries } from '../hosts/entries.ts';
import { type Draft, networksOf, placed } from './draft.ts';

/** Rules about what the interfaces of the hosts carry. */
export function interfaceFaults(draft: Draft): readonly Complaint[] {
  const perHost = hostEntries(draft.shape).flatMap((entry, index) => {
    // buildFleet keeps the order of the entries.
    const host = draft.fleet.hosts[index];
    return host ? [carriedFaults, edgeFaults, sourceFaults].flatMap((rule) => rule(entry, host)) : [];
  });
  return [...perHost, ...missingInterfaces(draft)];
}

function carriedFaults({ name, path, said }: HostEntry, host: Host): readonly Complaint[] {
  const carried = host.interfaces.flatMap((nic) => nic.addresses.map(addressOf));
  return (['address', 'rip', 'dip'] as const).flatMap((word) =>
    placed(said[word], [...path, word]).flatMap(({ value, at }) => {
      if (carried.includes(value)) return [];
      return [
        fault('address-not-carried', at, `no interface of ${name} carries its ${word} ${value}`, `its interfaces: ${networksOf(host)}`),
      ];
    }),
  );
}

function edgeFaults({ path, said }: HostEntry, host: Host): readonly Complaint[] {
  if (!said.interfaces)
    return host.interfaces.flatMap(({ addresses: [main = ''] }) => edgeFault(addressOf(main), main, [...path, 'address']));
  return Object.entries(said.interfaces).flatMap(([name, cidrs]) =>
    placed(cidrs, [...path, 'interfaces', name]).flatMap(({ value, at }) => edgeFault(addressOf(value), value, at)),
  );
}

function edgeFault(address: string, cidr: string, at: Path): readonly Complaint[] {
  const edge = subnetEdge(address, cidr);
  if (!edge) return [];
  return [fault('subnet-edge', at, `${address} is the ${edge} address of its network (${cidr})`, 'take an address between the two ends')];
}

function sourceFaults({ name, path, said }: HostEntry, host: Host): readonly Complaint[] {
  return (said.sources ?? []).flatMap((range, index) => {
    const at = [...path, 'sources', index];
    const addresses = expandRange(range);
    const networks = host.interfaces.flatMap((nic) => nic.addresses);
    const network = networks.find((cidr) => addresses.every((address) => inSubnet(address, cidr)));
    if (network) return addresses.flatMap((address) => edgeFault(address, network, at));
    const hint = `answers would not come back; networks of ${name}: ${networksOf(host)}`;
    return [fault('source-outside', at, `the sources ${range} lie in no network of ${name}`, hint)];
  });
}

/** A name that no director has is wrong where it is named; one that some director lacks is wrong there. */
function missingInterfaces({ shape, fleet }: Draft): readonly Complaint[] {
  const directors = hostEntries(shape).flatMap((entry, index) => {
    const host = fleet.hosts[index];
    return host?.role === 'director' ? [{ entry, host }] : [];
  });
  return namedInterfaces(shape).flatMap(({ name, path, word }) => {
    const lacking = directors.filter(({ host }) => !host.interfaces.some((nic) => nic.name === name));
    if (lacking.length === directors.length && lacking[0]) {
      const hint = `interfaces of ${lacking[0].host.name}: ${networksOf(lacking[0].host)}`;
      return [fault('no-interface', path, `no director has an interface "${name}"`, hint)];
    }
    return lacking.map(({ entry, host }) => {
      const at = entry.said.interfaces ? [...entry.path, 'interfaces'] : entry.path;
      const found = `${host.name} has no interface "${name}", which ${word} names`;
      return keyFault('no-interface', at, found, `its interfaces: ${networksOf(host)}`);
    });
  });
}

/** Interfaces that every director must have, and where they are named. */
function namedInterfaces({ vrrp, static: fixed, nat }: Draft['shape']) {
  const of = (said: { readonly interface?: string | undefined; readonly vip_interface?: string | undefined } | undefined, path: Path) =>
    (['interface', 'vip_interface'] as const).flatMap((word) => {
      const name = said?.[word];
      return name === undefined ? [] : [{ name, path: [...path, word], word: [...path, word].join('.') }];
    });
  const own = Object.entries(vrrp?.instances ?? {}).flatMap(([name, instance]) => of(instance, ['vrrp', 'instances', name]));
  return [...of(vrrp, ['vrrp']), ...own, ...of(fixed, ['static']), ...of(nat, ['nat'])];
}
