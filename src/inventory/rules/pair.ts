/** Rules about what makes directors fight, or lose each other, although each instance by itself is right. */
import { type Complaint, fault, keyFault } from '../complaints.ts';
import { hostEntries } from '../hosts/entries.ts';
import type { Draft } from './draft.ts';
import type { Said } from './vrrp.ts';

export function pairFaults(all: readonly Said[], draft: Draft): readonly Complaint[] {
  return [...tieFaults(draft), ...heartbeatFaults(all, draft), ...gatewayFaults(all, draft)];
}

/** Between equal priorities both may hold the VIPs for a moment. Two plain numbers are compared where they stand. */
function tieFaults({ shape, fleet }: Draft): readonly Complaint[] {
  const directors = hostEntries(shape).filter(({ section }) => section === 'directors');
  const priorities = (name: string) => fleet.hosts.find((host) => host.name === name)?.priorities ?? {};
  return directors.flatMap(({ name, path, said }, index) =>
    Object.entries(priorities(name)).flatMap(([instance, priority]) => {
      const plain = typeof said.priority === 'number';
      const rival = directors
        .slice(0, index)
        .find((other) => priorities(other.name)[instance] === priority && !(plain && typeof other.said.priority === 'number'));
      if (!rival) return [];
      const found = `the priority ${priority} in ${instance} is taken: ${rival.name} has it`;
      const at = [...path, 'priority', ...(plain ? [] : [instance])];
      return [fault('duplicate-priority', at, found, 'give each director its own, best 50 apart')];
    }),
  );
}

/** Adverts of IPv4 need an address to come from, those of IPv6 have a link-local one. Unicast ones are looked at elsewhere. */
function heartbeatFaults(all: readonly Said[], { shape, fleet }: Draft): readonly Complaint[] {
  return hostEntries(shape).flatMap(({ path, section }, index) => {
    const host = fleet.hosts[index];
    const nic = (one: Said) => host?.interfaces.find(({ name }) => name === one.said.interface);
    return all.flatMap((one) => {
      const built = fleet.vrrp?.instances.find(({ instance }) => instance === one.name);
      if (section !== 'directors' || !host || !built || !nic(one) || host.heartbeats?.[one.name] !== undefined) return [];
      if (built.family === 'ipv6' || built.unicast) return [];
      const found = `${host.name} has no IPv4 address on ${one.said.interface}, from which adverts of ${one.name} come`;
      return [keyFault('no-heartbeat', path, found, `give ${one.said.interface} one under its interfaces`)];
    });
  });
}

/** The gateway of NAT moves with the first instance: VIPs elsewhere would get replies from a director that does not know them. */
function gatewayFaults(all: readonly Said[], { fleet }: Draft): readonly Complaint[] {
  const [first, ...others] = fleet.vrrp?.instances ?? [];
  if (!first || !fleet.nat) return [];
  const together = fleet.vrrp?.syncGroups.find(({ instances }) => instances.includes(first.instance))?.instances ?? [];
  return others.flatMap(({ instance, addresses }) => {
    const lost = fleet.services.find(({ forward, vip }) => forward === 'nat' && addresses.some(({ address }) => address === vip));
    if (!lost || together.includes(instance)) return [];
    const found = `${instance} owns the VIP ${lost.vip} of a service with NAT, but the gateway moves with ${first.instance}`;
    const hint = `give the VIP to ${first.instance}, or say sync_groups: { NAT: [${first.instance}, ${instance}] }`;
    return [keyFault('gateway-elsewhere', all.find(({ name }) => name === instance)?.path ?? ['vrrp'], found, hint)];
  });
}
