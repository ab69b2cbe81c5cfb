/** What is installed, as typed → with its defaults, and with the ports that the services ask for. */
import type { Apache, Listener, Nginx, ProgramSource, ReverseProxy, VirtualServer } from '../../model.ts';
import { defined } from '../defined.ts';
import type { InventoryShape } from '../schema/inventory.ts';
import { nearInventory } from './service.ts';

type NginxShape = NonNullable<InventoryShape['nginx']>;
type Said = NginxShape['listen'];
type SourceShape = Pick<ProgramSource, 'version' | 'sha256' | 'configure'> & {
  readonly url?: string | undefined;
  readonly file?: string | undefined;
};

/** Ports on which real servers and upstreams answer. */
export function wantedListeners(services: readonly VirtualServer[], proxy: ReverseProxy | undefined): readonly Listener[] {
  const behind = services.flatMap(({ realServers, protocol, fwmark, redirect }) => {
    if (fwmark) return fwmark.ports;
    return redirect === undefined ? realServers.map(({ port }) => ({ port, protocol })) : [{ port: redirect, protocol }];
  });
  const upstream = (proxy?.upstreams ?? []).flatMap(({ servers }) => servers.map(({ port }) => ({ port, protocol: 'tcp' as const })));
  const all = [...behind, ...upstream].map((each) => listener(each));
  return all.filter(({ port, protocol }, index) => all.findIndex((other) => other.port === port && other.protocol === protocol) === index);
}

function listener({
  port,
  protocol,
  tls,
}: {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  readonly tls?: boolean | undefined;
}): Listener {
  return { port, protocol, tls: tls ?? (port === 443 && protocol === 'tcp') };
}

function buildListeners(said: Said, wanted: readonly Listener[]): readonly Listener[] {
  return said?.map((each) => listener(typeof each === 'number' ? { port: each, protocol: 'tcp' } : each)) ?? wanted;
}

export function buildNginx(
  { source, build, port, listen, sites: named, ...said }: NginxShape,
  wanted: readonly Listener[],
  file: string,
): Nginx {
  const listeners = buildListeners(listen ?? (port === undefined ? undefined : [port]), wanted);
  const built = source && { ...buildSource('nginx', source, file), prefix: source.prefix };
  const own = named.map(({ server_name, ...site }) => ({ serverName: server_name, ...site }));
  return defined({ ...said, buildOn: build.on, listeners, sites: own, source: built });
}

export function buildApache({ listen }: NonNullable<InventoryShape['apache']>, wanted: readonly Listener[]): Apache {
  return { listeners: buildListeners(listen, wanted) };
}

/** Where a program's own site has its tarballs. */
const sites: Readonly<Record<string, (version: string) => string>> = {
  nginx: (version) => `https://nginx.org/download/nginx-${version}.tar.gz`,
  keepalived: (version) => `https://www.keepalived.org/software/keepalived-${version}.tar.gz`,
  ipvsadm: (version) => `https://www.kernel.org/pub/linux/utils/kernel/ipvsadm/ipvsadm-${version}.tar.gz`,
};

export function buildProgram(name: string, said: SourceShape & { readonly prefix?: string | undefined }, file: string): ProgramSource {
  return { ...buildSource(name, said, file), prefix: said.prefix ?? `/usr/local/${name}` };
}

function buildSource(name: string, { version, sha256, configure, url: saidUrl, file: saidFile }: SourceShape, file: string) {
  const path = saidFile === undefined ? undefined : nearInventory(saidFile, file);
  const url = path === undefined ? (saidUrl ?? sites[name]?.(version)) : undefined;
  return defined({ version, sha256: sha256.toLowerCase(), configure, url, file: path });
}
