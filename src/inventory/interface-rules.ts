import type { Host } from '../model.ts';
import { addressOf, expandRange, inSubnet, subnetEdge } from './addresses.ts';
import { type Complaint, fault, keyFault, type Path } from './complaints.ts';
import { type Draft, networksOf } from './draft.ts';
import { type HostEntry, hostEntries } from './entries.ts';

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
  const carried = host.interfaces.map((nic) => addressOf(nic.address));
  return (['address', 'rip', 'dip'] as const).flatMap((word) => {
    const address = said[word];
    if (address === undefined || carried.includes(address)) return [];
    const found = `no interface of ${name} carries its ${word} ${address}`;
    return [fault('address-not-carried', [...path, word], found, `its interfaces: ${networksOf(host)}`)];
  });
}

function edgeFaults({ path, said }: HostEntry, host: Host): readonly Complaint[] {
  return host.interfaces.flatMap(({ name, address }) => {
    return edgeFault(addressOf(address), address, said.interfaces ? [...path, 'interfaces', name] : [...path, 'address']);
  });
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
    const nic = host.interfaces.find((candidate) => addresses.every((address) => inSubnet(address, candidate.address)));
    if (nic) return addresses.flatMap((address) => edgeFault(address, nic.address, at));
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
  const words = shape.vrrp.vip_interface === undefined ? (['interface'] as const) : (['interface', 'vip_interface'] as const);
  return words.flatMap((word) => {
    const name = shape.vrrp[word] ?? '';
    const lacking = directors.filter(({ host }) => !host.interfaces.some((nic) => nic.name === name));
    if (lacking.length === directors.length && lacking[0]) {
      const hint = `interfaces of ${lacking[0].host.name}: ${networksOf(lacking[0].host)}`;
      return [fault('no-interface', ['vrrp', word], `no director has an interface "${name}"`, hint)];
    }
    return lacking.map(({ entry, host }) => {
      const at = entry.said.interfaces ? [...entry.path, 'interfaces'] : entry.path;
      const found = `${host.name} has no interface "${name}", which vrrp.${word} names`;
      return keyFault('no-interface', at, found, `its interfaces: ${networksOf(host)}`);
    });
  });
}
