/** Zones of firewalld that are chosen by who sends: a packet goes through the first that has its sender, and through no zone of its NIC. */
import ipaddr from 'ipaddr.js';
import type { Admission, Zone } from './firewalld.ts';

/** Those of the rules that packets need in a zone because it has their senders; none where it has no sources. */
export function rulesOfSources(zone: Zone, rules: readonly Admission[]): readonly Admission[] {
  if (zone.sources.length === 0) return [];
  const out = keepsOut(zone);
  return rules.filter(({ from }) =>
    from === undefined ? !out : zone.sources.some((source) => (isNetwork(source) ? overlaps(source, from) : !out)),
  );
}

/** A list of senders to keep out, such as the zone `drop` is: the cluster's ports stay closed to them. Our own rich rules do not count. */
function keepsOut({ target, services, ports, protocols }: Zone): boolean {
  return /^(DROP|%%REJECT%%)$/.test(target) && services.length + ports.length + protocols.length === 0;
}

/** Other sources are MAC addresses and sets, whose members are not looked at. */
function isNetwork(source: string): boolean {
  return ipaddr.isValid(source) || ipaddr.isValidCIDR(source);
}

function overlaps(one: string, other: string): boolean {
  return holds(one, other) || holds(other, one);
}

function holds(network: string, place: string): boolean {
  const address = ipaddr.parse(place.replace(/\/.*/, ''));
  const [base, length] = network.includes('/') ? ipaddr.parseCIDR(network) : [ipaddr.parse(network), network.includes(':') ? 128 : 32];
  return base.kind() === address.kind() && address.match(base as never, length);
}
