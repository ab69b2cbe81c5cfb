/** Pages that backends answer with at their own addresses: what the health checks ask, else the page that holds the backend's name. */
import type { Fleet, HealthCheck, Host, Protocol } from '../../model.ts';
import { questionOf } from './entrances.ts';
import { answeringPort, endpoint, frontsOf, namedSite, onSegmentOf, speaksTls } from './topology.ts';

/** Parameters of the check that are said outrank what the inventory says. */
export interface Asked {
  readonly path?: string | undefined;
  readonly port?: number | undefined;
  readonly status?: number | undefined;
  /** `hostname`: the backend's own name. */
  readonly marker?: string | undefined;
  readonly host_header?: string | undefined;
}

export interface Target {
  readonly host: string;
  readonly rip: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly tls: boolean;
  readonly path: string;
  readonly hostHeader?: string | undefined;
  readonly status: number;
  /** Text that the answer holds; `undefined`: any will do. */
  readonly marker?: string | undefined;
  /** `word`: not as a part of a longer name. */
  readonly match: 'word' | 'text';
  /** UDP: hexadecimal bytes. */
  readonly payload?: string | undefined;
}

/** What `from` asks; each page once, whichever services lead there. Clients ask only on their own segment: elsewhere they may not come. */
export function targetsFor(from: Host, asked: Asked, fleet: Fleet): readonly Target[] {
  // A managed firewall of a backend lets nobody but the directors past nginx on these.
  const closed = from.role === 'client' && fleet.firewall === 'managed';
  const all = [...servedTargets(asked, fleet), ...(closed ? [] : proxiedTargets(asked, fleet))];
  const reachable = all.filter(({ rip }) => from.role !== 'client' || onSegmentOf(rip, from));
  return [
    ...new Map(reachable.map((target) => [`${target.host} ${target.protocol} ${targetUrl(target)} ${target.hostHeader}`, target])).values(),
  ];
}

export function targetUrl({ tls, rip, port, path }: Target): string {
  return `${tls ? 'https' : 'http'}://${endpoint(rip, port)}${path}`;
}

function servedTargets(asked: Asked, fleet: Fleet): readonly Target[] {
  return fleet.services.flatMap((service) =>
    service.realServers.flatMap((real) =>
      frontsOf(service).map(({ port: front, protocol }): Target => {
        const port = asked.port ?? answeringPort({ service, real }, { port: front, protocol });
        const place = { host: real.host, rip: real.rip, port, protocol, tls: speaksTls(fleet, port, { protocol }) };
        if (protocol === 'udp') return { ...place, path: '', ...nameOf(real.host, asked), status: 200, payload: questionOf(service.check) };
        const checked = (service.check.port ?? port) === port ? service.check : undefined;
        return { ...place, ...pageOf(real.host, asked, checked, fleet) };
      }),
    ),
  );
}

function proxiedTargets(asked: Asked, fleet: Fleet): readonly Target[] {
  return (fleet.proxy?.sites ?? []).flatMap((site) => {
    const names = [site.upstream, ...site.byUserAgent.map(({ upstream }) => upstream)];
    const servers = (fleet.proxy?.upstreams ?? []).filter(({ name }) => names.includes(name)).flatMap((upstream) => upstream.servers);
    return servers.map(({ host, address, port }): Target => {
      const place = { host, rip: address, port: asked.port ?? port, protocol: 'tcp', tls: false } as const;
      const hostHeader = asked.host_header ?? site.serverName;
      const named = asked.path === undefined && asked.marker === undefined ? namedSite(fleet, hostHeader) : undefined;
      const page = { ...place, hostHeader, status: asked.status ?? 200 };
      if (named) return { ...page, path: named.path, marker: firstLine(named.body), match: 'text' };
      return { ...page, path: asked.path ?? '/', ...nameOf(host, asked) };
    });
  });
}

/** What the health check asks where it asks for a page; unless said, every backend's own name is looked for on `/` alone. */
function pageOf(
  host: string,
  asked: Asked,
  check: HealthCheck | undefined,
  fleet: Fleet,
): Pick<Target, 'path' | 'hostHeader' | 'status' | 'marker' | 'match'> {
  const web = check?.kind === 'http' || check?.kind === 'https' ? check : undefined;
  const path = asked.path ?? web?.path ?? '/';
  const hostHeader = asked.host_header ?? web?.hostHeader;
  const page = { path, hostHeader, status: asked.status ?? web?.status ?? 200 };
  const site = namedSite(fleet, hostHeader, path);
  if (asked.marker !== undefined || (path === '/' && !site)) return { ...page, ...nameOf(host, asked) };
  return { ...page, marker: site && firstLine(site.body), match: 'text' };
}

function firstLine(body: string): string | undefined {
  return body.trim().split('\n')[0];
}

function nameOf(host: string, { marker = 'hostname' }: Asked): Pick<Target, 'marker' | 'match'> {
  return marker === 'hostname' ? { marker: host, match: 'word' } : { marker, match: 'text' };
}
