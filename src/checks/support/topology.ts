/** Who serves what, as the inventory says it. */
import type { Fleet, Host, RealServer, VirtualServer } from '../../model.ts';

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
export function keepsVip({ service }: Served): boolean {
  return service.forward !== 'nat';
}

/** VIPs that this backend must have, each once, with how packets come to it. */
export function vipsKeptBy(host: Host, fleet: Fleet): readonly { readonly vip: string; readonly tunnel: boolean }[] {
  const kept = servedBy(host, fleet).filter(keepsVip);
  const vips = [...new Set(kept.map(({ service }) => service.vip))];
  return vips.map((vip) => ({ vip, tunnel: kept.some(({ service }) => service.vip === vip && service.forward === 'tun') }));
}

/** Addresses of directors and backends themselves → the host that has each. */
export function ownAddresses(fleet: Fleet): ReadonlyMap<string, string> {
  const pairs = fleet.hosts.flatMap((host) => {
    const declared = host.interfaces.flatMap(({ addresses }) => addresses.map((address) => address.split('/', 1)[0] ?? ''));
    return [host.address, host.rip, host.dip, ...declared].flatMap((address) => (address ? [[address, host.name] as const] : []));
  });
  return new Map(pairs.filter(([address]) => !fleet.vips.includes(address)));
}

/** `10.18.43.30:80`, `[fd79::1]:80`. */
export function endpoint(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Name of an endpoint of a virtual server. */
export function serviceName({ vip, port }: VirtualServer): string {
  return endpoint(vip, port);
}
