import { createHash } from 'node:crypto';
import { EXIT, LvsError } from '../errors.ts';
import type { Fleet, Host } from '../model.ts';
import { labName } from './places.ts';
import { findSubnet, type Segment, segmentsOf } from './segments.ts';

export interface LabNic {
  /** As the inventory calls it. */
  readonly name: string;
  /** In CIDR notation, of one family or both; the first is the main one. */
  readonly addresses: readonly string[];
  /** The gateway's address for each family of which this NIC carries the host's first address; packets for elsewhere go there. */
  readonly gateways: readonly string[];
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
  /** The gateway's address beside the host's main one: packages come from there. */
  readonly gateway: string;
}

/** What machines and wires an inventory asks for. Two inventories with the same digest have the same lab. */
export interface Layout {
  readonly name: string;
  readonly segments: readonly Segment[];
  /** The gateway is a router: it passes packets from one segment to another. */
  readonly routes: boolean;
  /** VIPs that lie in no subnet, and where the router finds them. */
  readonly routedVips: readonly { readonly address: string; readonly bridge: string }[];
  readonly hosts: readonly LabHost[];
  readonly digest: string;
}

/** Pure. Throws LvsError (exit 4) where the subnet of a host's main address leaves no room for the gateway. */
export function layoutOf(fleet: Fleet): Layout {
  const segments = segmentsOf(fleet);
  const hosts = fleet.hosts.map((host, index) => labHost(host, index, segments));
  const routedVips = vipsBeyond(fleet, hosts, segments);
  // A router between subnets is what a tunnel is for; with NAT it would be a way around the director, and hide a wrong default route.
  const tunnels = segments.length > 1 && fleet.services.some(({ forward }) => forward === 'tun');
  const routes = tunnels || routedVips.length > 0;
  const machines = [segments, routes, routedVips, hosts, fleet.lab];
  return {
    name: labName(fleet),
    segments,
    routes,
    routedVips,
    hosts,
    digest: createHash('sha256').update(JSON.stringify(machines)).digest('hex').slice(0, 16),
  };
}

/** Each with the bridge of the directors' interface that carries it. */
function vipsBeyond(fleet: Fleet, hosts: readonly LabHost[], segments: readonly Segment[]): Layout['routedVips'] {
  const directors = hosts.filter((_, index) => fleet.hosts[index]?.role === 'director');
  return fleet.virtualAddresses.flatMap(({ address, interface: carrier }) => {
    if (findSubnet(`${address}/${isIpv6(address) ? 128 : 32}`, segments)) return [];
    const nic = directors.flatMap(({ nics }) => nics).find(({ name }) => name === carrier);
    return nic ? [{ address, bridge: nic.bridge }] : [];
  });
}

function labHost(host: Host, index: number, segments: readonly Segment[]): LabHost {
  const all = host.interfaces.flatMap(({ addresses }) => addresses);
  const main = all[0] ?? '';
  const gateway = findSubnet(main, segments)?.gateway;
  if (gateway === undefined) throw noRoom(host.name, main);
  const firsts = [all.find((cidr) => !isIpv6(cidr)), all.find(isIpv6)];
  const nics = host.interfaces.map((nic, position) => {
    const { addresses } = nic;
    const ways = addresses.filter((cidr) => firsts.includes(cidr)).flatMap((cidr) => findSubnet(cidr, segments)?.gateway ?? []);
    return {
      name: nic.name,
      addresses,
      gateways: ways,
      mac: `02:4c:56:${byte(index >> 8)}:${byte(index)}:${byte(position)}`,
      tap: `tap${index}.${position}`,
      bridge: bridgeOf(host.name, addresses, segments),
    };
  });
  return { name: host.name, address: host.address, nics, gateway };
}

function bridgeOf(host: string, addresses: readonly string[], segments: readonly Segment[]): string {
  const [found] = addresses.flatMap((cidr) => findSubnet(cidr, segments) ?? []);
  if (!found) throw noRoom(host, addresses[0] ?? '');
  return found.bridge;
}

export function isIpv6(address: string): boolean {
  return address.includes(':');
}

function byte(value: number): string {
  return (value & 0xff).toString(16).padStart(2, '0');
}

function noRoom(host: string, cidr: string): LvsError {
  return new LvsError(`${host}: the subnet of ${cidr} has no free address for the lab's gateway`, {
    code: 'lab.no-room',
    exitCode: EXIT.badInput,
    hint: 'give the interface the length of its real subnet, such as /24',
  });
}
