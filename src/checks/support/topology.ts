/** Who serves what, where, and which addresses that takes on which host: as the inventory says it. */
import { addressOf, familyOf, inSubnet } from '../../inventory/addresses.ts';
import type { Fleet, Host, NamedSite, Protocol, RealServer, VirtualServer } from '../../model.ts';

/** A virtual server with one of its real servers. */
export interface Served {
  readonly service: VirtualServer;
  readonly real: RealServer;
}

/** What this backend serves. */
export function servedBy(host: Host, fleet: Fleet): readonly Served[] {
  return fleet.services.flatMap((service) =>
    service.realServers.filter((real) => real.host === host.name).map((real) => ({ service, real })),
  );
}

/** Without NAT packets reach the backend with the VIP as destination: it must have the VIP, and must not say so by ARP. */
export function keepsVip({ service }: Pick<Served, 'service'>): boolean {
  return service.forward !== 'nat';
}

/** A VIP on a backend. */
export interface KeptVip {
  readonly vip: string;
  /** Packets for it come out of a tunnel. */
  readonly tunnel: boolean;
  /** Where lvsctl puts it: `lo`, or the device at which its tunnel ends. */
  readonly device: string;
}

/** The kernel's own device for packets in packets, which takes them from anybody. */
export function tunnelDevice(vip: string): string {
  return familyOf(vip) === 'ipv6' ? 'ip6tnl0' : 'tunl0';
}

/** VIPs that this backend must have, each once, with how packets come to it. Empty where it serves by NAT or behind a proxy alone. */
export function vipsKeptBy(host: Host, fleet: Fleet): readonly KeptVip[] {
  const kept = servedBy(host, fleet).filter(keepsVip);
  return [...new Set(kept.map(({ service }) => service.vip))].map((vip) => {
    const tunnel = kept.some(({ service }) => service.vip === vip && service.forward === 'tun');
    return { vip, tunnel, device: tunnel ? tunnelDevice(vip) : 'lo' };
  });
}

/** A port of a virtual server that clients connect to, and where its packets go on a backend. */
export interface Front {
  readonly port: number;
  readonly protocol: Protocol;
}

/** One, or the ports of a firewall mark. */
export function frontsOf({ port, protocol, fwmark }: VirtualServer): readonly Front[] {
  return fwmark?.ports ?? [{ port, protocol }];
}

/** The port on which a real server answers what came to `front`: its own, where packets or the real server itself translate it. */
export function answeringPort({ service, real }: Served, front: Front): number {
  return service.redirect ?? (service.fwmark ? front.port : real.port);
}

/** What a backend must listen for. */
export interface Ear extends Front {
  /** Packets have this destination. */
  readonly address: string;
  /** Whether the first bytes are TLS. */
  readonly tls: boolean;
}

/** Everything that must listen on a backend: for virtual servers, and as a server behind nginx on the directors. Each once. */
export function earsOf(host: Host, fleet: Fleet): readonly Ear[] {
  const served = servedBy(host, fleet).flatMap((each) =>
    frontsOf(each.service).map((front): Ear => {
      const port = answeringPort(each, front);
      const translated = !keepsVip(each) || each.service.redirect !== undefined;
      return { address: translated ? each.real.rip : each.service.vip, port, protocol: front.protocol, tls: speaksTls(fleet, port, front) };
    }),
  );
  const servers = (fleet.proxy?.upstreams ?? []).flatMap((upstream) => upstream.servers.filter((server) => server.host === host.name));
  const behind = servers.map(({ address, port }): Ear => ({ address, port, protocol: 'tcp', tls: false }));
  const all = [...served, ...behind].map((ear) => [`${ear.protocol} ${endpoint(ear.address, ear.port)}`, ear] as const);
  return [...new Map(all).values()];
}

/** As the inventory's web server is set up; of a web server that lvsctl does not know, 443 and what is checked by https. */
export function speaksTls(fleet: Fleet, port: number, { protocol }: Pick<Front, 'protocol'>): boolean {
  if (protocol === 'udp') return false;
  const known = (fleet.nginx ?? fleet.apache)?.listeners.find((listener) => listener.port === port && listener.protocol === 'tcp');
  const asked = fleet.services.some(
    ({ check, realServers }) => check.kind === 'https' && realServers.some((real) => (check.port ?? real.port) === port),
  );
  return known?.tls ?? (port === 443 || asked);
}

/** The page that backends have for this name alone: it does not say which of them answers, and `/` of that name has none. */
export function namedSite({ nginx }: Pick<Fleet, 'nginx'>, serverName: string | undefined, path?: string): NamedSite | undefined {
  return nginx?.sites.find((site) => site.serverName === serverName && (path === undefined || site.path === path));
}

/** Whether the address lies in a network of one of the host's interfaces: it is reached without a router. */
export function onSegmentOf(address: string, { interfaces }: Pick<Host, 'interfaces'>): boolean {
  return interfaces.some(({ addresses }) => addresses.some((cidr) => inSubnet(address, cidr)));
}

/** Addresses of directors and backends themselves → the host that has each. */
export function ownAddresses(fleet: Fleet): ReadonlyMap<string, string> {
  const shared = fleet.virtualAddresses.map(({ address }) => address);
  const pairs = fleet.hosts.flatMap((host) => {
    const declared = host.interfaces.flatMap(({ addresses }) => addresses.map(addressOf));
    const all = [host.address, host.rip, ...(host.rips ?? []), host.dip, ...declared];
    return all.flatMap((address) => (address ? [[address, host.name] as const] : []));
  });
  return new Map(pairs.filter(([address]) => !fleet.vips.includes(address) && !shared.includes(address)));
}

/** `10.18.43.30:80`, `[fd79::1]:80`. */
export function endpoint(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Name of a virtual server: `10.18.43.30:80`, `UDP 10.18.43.30:53`, `mark 7 (10.18.43.30)`. */
export function serviceName({ vip, port, protocol, fwmark }: Pick<VirtualServer, 'vip' | 'port' | 'protocol' | 'fwmark'>): string {
  if (fwmark) return `mark ${fwmark.mark} (${vip})`;
  return `${protocol === 'udp' ? 'UDP ' : ''}${endpoint(vip, port)}`;
}

/** How ipvsadm names it: `-t 10.18.43.30:80`, `-u [fd79::30]:53`, `-f 7 -6`. */
export function ipvsadmPlace({ vip, port, protocol, fwmark }: Pick<VirtualServer, 'vip' | 'port' | 'protocol' | 'fwmark'>): string {
  if (fwmark) return `-f ${fwmark.mark}${familyOf(vip) === 'ipv6' ? ' -6' : ''}`;
  return `${protocol === 'udp' ? '-u' : '-t'} ${endpoint(vip, port)}`;
}
