import ipaddr from 'ipaddr.js';
import type { Fleet } from '../model.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A subnet of a segment, and the gateway's own address in it. */
export interface Subnet {
  /** In CIDR notation. */
  readonly cidr: string;
  /** Without length. */
  readonly gateway: string;
  readonly length: number;
}

/** One network segment of the lab: a bridge, on which the gateway has an address in each subnet. */
export interface Segment {
  readonly bridge: string;
  readonly subnets: readonly Subnet[];
}

/**
 * Pure. Subnets that overlap share a segment, as they would on a real switch, and so do all addresses of one NIC, whatever their family.
 * The gateway takes the highest address of each subnet that the inventory does not use; a subnet that leaves it no room is left out.
 */
export function segmentsOf(fleet: Fleet): readonly Segment[] {
  const used = usedAddresses(fleet);
  const nics = fleet.hosts.flatMap(({ interfaces }) => interfaces.map(({ addresses }) => addresses));
  return nics.reduce<readonly (readonly string[])[]>(joined, []).map((cidrs, index) => ({
    bridge: `br${index}`,
    subnets: widest(cidrs).flatMap((cidr) => subnetOf(cidr, used) ?? []),
  }));
}

/** The subnet in which `cidr` lies, among these segments. */
export function findSubnet(cidr: string, segments: readonly Segment[]): (Subnet & { readonly bridge: string }) | undefined {
  const [found] = segments.flatMap(({ bridge, subnets }) =>
    subnets.filter((subnet) => contains(subnet.cidr, cidr)).map((each) => ({ ...each, bridge })),
  );
  return found;
}

/** The groups with one NIC more: it joins those that it overlaps, which makes them one. */
function joined(groups: readonly (readonly string[])[], nic: readonly string[]): readonly (readonly string[])[] {
  const touches = (group: readonly string[]): boolean => group.some((one) => nic.some((other) => overlap(one, other)));
  const [first, ...others] = groups.filter(touches);
  if (!first) return [...groups, nic];
  return groups.flatMap((group) => {
    if (group === first) return [[...first, ...others.flat(), ...nic]];
    return others.includes(group) ? [] : [group];
  });
}

/** Those that lie in no other, in the order in which they came. */
function widest(cidrs: readonly string[]): readonly string[] {
  const networks = [...new Set(cidrs.map(networkOf))];
  return networks.filter((one) => !networks.some((other) => other !== one && contains(other, one)));
}

function subnetOf(cidr: string, used: ReadonlySet<string>): Subnet | undefined {
  const [address, length] = ipaddr.parseCIDR(cidr);
  const last = kindOf(address).broadcastAddressFromCIDR(cidr);
  // The last address of an IPv4 subnet is its broadcast address, the first of any its own name.
  let candidate: Address = address.kind() === 'ipv4' ? previous(last) : last;
  for (let tries = 0; tries < 4096 && candidate.toString() !== address.toString() && last.toString() !== address.toString(); tries++) {
    if (!used.has(candidate.toString())) return { cidr, gateway: candidate.toString(), length };
    candidate = previous(candidate);
  }
  return undefined;
}

/** The address one below. */
function previous(address: Address): Address {
  const bytes = address.toByteArray();
  for (let index = bytes.length - 1; index >= 0; index--) {
    const value = bytes[index] ?? 0;
    bytes[index] = (value + 255) % 256;
    if (value > 0) break;
  }
  return ipaddr.fromByteArray(bytes);
}

function usedAddresses(fleet: Fleet): ReadonlySet<string> {
  const hosts = fleet.hosts.flatMap((host) => [
    ...[host.address, host.dip, host.rip, ...(host.rips ?? []), ...(host.sources ?? [])],
    ...host.interfaces.flatMap(({ addresses }) => addresses.map((cidr) => cidr.split('/')[0])),
  ]);
  const served = [
    ...fleet.services.map(({ sorryServer }) => sorryServer?.address),
    ...fleet.virtualAddresses.map(({ address }) => address),
  ];
  return new Set([...hosts, ...served, ...fleet.vips].flatMap((address) => (address ? [ipaddr.parse(address).toString()] : [])));
}

function networkOf(cidr: string): string {
  const [address, length] = ipaddr.parseCIDR(cidr);
  return `${kindOf(address).networkAddressFromCIDR(cidr)}/${length}`;
}

function overlap(one: string, other: string): boolean {
  return contains(one, other) || contains(other, one);
}

/** Whether all of `inner` lies in `outer`. */
function contains(outer: string, inner: string): boolean {
  const [range, length] = ipaddr.parseCIDR(outer);
  const [address, innerLength] = ipaddr.parseCIDR(inner);
  return innerLength >= length && address.kind() === range.kind() && address.match(range as never, length);
}

function kindOf(address: Address): typeof ipaddr.IPv4 | typeof ipaddr.IPv6 {
  return address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
}
