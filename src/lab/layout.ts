import { createHash } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { EXIT, LvsError } from '../errors.ts';
import type { Fleet, Host, Nic } from '../model.ts';
import { labName } from './places.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Subnet = readonly [Address, number];

/** One network segment of the lab: a bridge, on which the gateway has an address. */
export interface Segment {
  readonly bridge: string;
  /** In CIDR notation. */
  readonly subnet: string;
  /** The gateway's address, without length. */
  readonly gateway: string;
  readonly length: number;
}

export interface LabNic {
  /** As the inventory calls it. */
  readonly name: string;
  /** In CIDR notation. */
  readonly address: string;
  readonly mac: string;
  /** The namespace's end of the line. */
  readonly tap: string;
  readonly bridge: string;
}

export interface LabHost {
  readonly name: string;
  /** Where ssh goes. */
  readonly address: string;
  readonly nics: readonly LabNic[];
  /** The gateway's address on the first NIC's segment. */
  readonly gateway: string;
}

/** What machines and wires an inventory asks for. Two inventories with the same digest have the same lab. */
export interface Layout {
  readonly name: string;
  readonly segments: readonly Segment[];
  readonly hosts: readonly LabHost[];
  readonly digest: string;
}

/**
 * Pure. NICs whose subnets overlap share a segment, as they would on a real switch; the gateway takes the highest address of each
 * subnet that the inventory does not use. Throws LvsError (exit 4) where a host's first NIC leaves no room for it.
 */
export function layoutOf(fleet: Fleet): Layout {
  const used = usedAddresses(fleet);
  const segments: Segment[] = [];
  for (const [host, cidr] of nicSubnets(fleet)) {
    if (segments.some((segment) => contains(segment.subnet, cidr))) continue;
    segments.push(segmentFor(cidr, `br${segments.length}`, used, host));
  }
  const hosts = fleet.hosts.map((host, index) => labHost(host, index, segments));
  const machines = [segments, hosts, fleet.lab];
  return {
    name: labName(fleet),
    segments,
    hosts,
    digest: createHash('sha256').update(JSON.stringify(machines)).digest('hex').slice(0, 16),
  };
}

/** Host and address of every NIC; widest subnets first, so that a narrower one finds the segment that it lies in. */
function nicSubnets(fleet: Fleet): readonly (readonly [Host, string])[] {
  const all = fleet.hosts.flatMap((host) => host.interfaces.map((nic) => [host, mainAddress(nic)] as const));
  return all.sort(([, a], [, b]) => parse(a)[1] - parse(b)[1]);
}

function labHost(host: Host, index: number, segments: readonly Segment[]): LabHost {
  const nics = host.interfaces.map((nic, position) => ({
    name: nic.name,
    address: mainAddress(nic),
    mac: `02:4c:56:${byte(index >> 8)}:${byte(index)}:${byte(position)}`,
    tap: `tap${index}.${position}`,
    bridge: segmentOf(mainAddress(nic), segments).bridge,
  }));
  const gateway = segmentOf(host.interfaces[0]?.addresses[0] ?? '', segments).gateway;
  return { name: host.name, address: host.address, nics, gateway };
}

function mainAddress({ addresses }: Nic): string {
  return addresses[0] ?? '';
}

function byte(value: number): string {
  return (value & 0xff).toString(16).padStart(2, '0');
}

function segmentOf(cidr: string, segments: readonly Segment[]): Segment {
  const found = segments.find((segment) => contains(segment.subnet, cidr));
  if (!found) throw noRoom('a host', cidr);
  return found;
}

function segmentFor(cidr: string, bridge: string, used: ReadonlySet<string>, host: Host): Segment {
  const [address, length] = parse(cidr);
  const kind = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  const network = kind.networkAddressFromCIDR(cidr).toString();
  const last = kind.broadcastAddressFromCIDR(cidr);
  // The last address of an IPv4 subnet is its broadcast address.
  let candidate = address.kind() === 'ipv4' ? previous(last) : last;
  for (let tries = 0; tries < 4096 && candidate.toString() !== network && last.toString() !== network; tries++) {
    if (!used.has(candidate.toString())) return { bridge, subnet: `${network}/${length}`, gateway: candidate.toString(), length };
    candidate = previous(candidate);
  }
  throw noRoom(host.name, cidr);
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
  const all = fleet.hosts.flatMap((host) => [
    ...[host.address, host.dip, host.rip, ...(host.sources ?? [])],
    ...host.interfaces.flatMap((nic) => nic.addresses.map((address) => address.split('/')[0])),
  ]);
  return new Set([...all, ...fleet.vips].flatMap((address) => (address ? [ipaddr.parse(address).toString()] : [])));
}

function contains(subnet: string, cidr: string): boolean {
  const [address] = parse(cidr);
  const range = parse(subnet);
  return address.kind() === range[0].kind() && address.match(range[0] as never, range[1]);
}

function parse(cidr: string): Subnet {
  return ipaddr.parseCIDR(cidr);
}

function noRoom(host: string, cidr: string): LvsError {
  return new LvsError(`${host}: the subnet of ${cidr} has no free address for the lab's gateway`, {
    code: 'lab.no-room',
    exitCode: EXIT.badInput,
    hint: 'give the interface the length of its real subnet, such as /24',
  });
}
