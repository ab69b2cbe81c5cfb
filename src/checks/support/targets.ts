/** Pages that backends answer with at their own addresses: what the health checks ask, else the page that holds the backend's name. */
import type { Fleet, Host, Protocol } from '../../model.ts';
import { questionOf, sitePage } from './entrances.ts';
import { answeringPort, endpoint, frontsOf, onSegmentOf, type Served, speaksTls } from './topology.ts';
import { pageUrl, type WebPage, webPage } from './web-pages.ts';

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
  /** Absent: a datagram is sent, or a connection opened and closed. */
  readonly page?: WebPage | undefined;
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
  const key = (target: Target): string => `${target.host} ${target.protocol} ${targetUrl(target)} ${target.page?.hostHeader}`;
  return [...new Map(reachable.map((target) => [key(target), target])).values()];
}

/** `http://10.18.43.13:80/`, or `10.18.43.13:3306` where no page is asked for. */
export function targetUrl({ rip, port, page }: Pick<Target, 'rip' | 'port' | 'page'>): string {
  return page ? pageUrl(page, rip, port) : endpoint(rip, port);
}

function servedTargets(asked: Asked, fleet: Fleet): readonly Target[] {
  return fleet.services.flatMap((service) =>
    service.realServers.flatMap((real) =>
      frontsOf(service).map(({ port: front, protocol }): Target => {
        const served = asked.port === undefined ? { service, real } : answeringAt(asked.port, { service, real });
        const port = answeringPort(served, { port: front, protocol });
        const place = { host: real.host, rip: real.rip, port, protocol };
        if (protocol === 'udp') return { ...place, ...nameOf(real.host, asked), payload: questionOf(service.check) };
        const own = webPage(served, { port: front, protocol }, fleet);
        return { ...place, ...pageOf(real.host, asked, own, speaksTls(fleet, port, { protocol })) };
      }),
    ),
  );
}

/** As if the real server answered there whatever comes to it. */
function answeringAt(port: number, { service, real }: Served): Served {
  return { service: { ...service, redirect: port }, real: { ...real, port } };
}

function proxiedTargets(asked: Asked, fleet: Fleet): readonly Target[] {
  return (fleet.proxy?.sites ?? []).flatMap((site) => {
    const names = [site.upstream, ...site.byUserAgent.map(({ upstream }) => upstream)];
    const servers = (fleet.proxy?.upstreams ?? []).filter(({ name }) => names.includes(name)).flatMap((upstream) => upstream.servers);
    return servers.map(({ host, address, port: usual }): Target => {
      const port = asked.port ?? usual;
      const place = { host, rip: address, port, protocol: 'tcp' } as const;
      return { ...place, ...pageOf(host, asked, sitePage(asked.host_header ?? site.serverName, [{ port }], fleet), false) };
    });
  });
}

/** What the inventory knows of the page, and what the user says of it; with neither there is none to ask for. */
function pageOf(host: string, asked: Asked, own: WebPage | undefined, tls: boolean): Pick<Target, 'page' | 'marker' | 'match'> {
  const said = Object.values(asked).some((value) => value !== undefined);
  if (!own && !said) return { match: 'text' };
  const path = asked.path ?? own?.path ?? '/';
  const page: WebPage = {
    ...{ path, tls: own?.tls ?? tls, named: own?.named ?? true },
    hostHeader: asked.host_header ?? own?.hostHeader,
    sni: own?.sni,
    status: asked.status ?? (own ? own.status : 200),
  };
  if (asked.marker !== undefined) return { page, ...nameOf(host, asked) };
  if (own && path === own.path && own.text !== undefined) return { page, marker: own.text, match: 'text' };
  return page.named && path === '/' ? { page, ...nameOf(host, asked) } : { page, match: 'text' };
}

function nameOf(host: string, { marker = 'hostname' }: Asked): Pick<Target, 'marker' | 'match'> {
  return marker === 'hostname' ? { marker: host, match: 'word' } : { marker, match: 'text' };
}
