/** What clients connect to, and who may answer: ports of virtual servers, and sites of nginx on the directors. */
import type { Fleet, HealthCheck, Protocol, ProxySite, Scheduler, Upstream, VirtualServer } from '../../model.ts';
import { dnsQuestion } from './datagrams.ts';
import { endpoint, type Front, frontsOf, namedSite, speaksTls } from './topology.ts';
import { firstLine, servesOwn, type WebPage, webPage } from './web-pages.ts';

export interface Entrance {
  readonly vip: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** What is asked for; absent: a datagram is sent, or a connection opened and closed. */
  readonly page?: WebPage;
  readonly userAgent?: string;
  readonly scheduler: Scheduler | 'round_robin' | 'least_conn' | 'ip_hash';
  readonly schedulerFlags: readonly string[];
  /** Seconds that a client stays with its backend. */
  readonly persistence?: number;
  /** Clients of a whole network stay together. */
  readonly wholeNetworks: boolean;
  /** Who answers; weight 0 gets nothing while the others are well. */
  readonly servers: readonly { readonly host: string; readonly weight: number }[];
  /** UDP: hexadecimal bytes to send. */
  readonly payload?: string;
  /** The virtual server that it belongs to; absent: a site of nginx on the directors. */
  readonly service?: VirtualServer;
}

/** `path`: of a page on every backend that holds its name, said by the user; it outranks what the inventory says. */
export function entrancesOf(fleet: Fleet, path?: string): readonly Entrance[] {
  const all = [
    ...fleet.services.flatMap((service) => ofService(service, fleet)),
    ...(fleet.proxy?.sites ?? []).flatMap((site) => ofSite(site, fleet)),
  ];
  if (path === undefined) return all;
  return all.map((entrance) => (entrance.protocol === 'udp' ? entrance : { ...entrance, page: saidPage(entrance, path, fleet) }));
}

function saidPage({ page, port }: Entrance, path: string, fleet: Fleet): WebPage {
  const tls = page?.tls ?? speaksTls(fleet, port, { protocol: 'tcp' });
  return { path, hostHeader: page?.hostHeader, sni: page?.sni, tls, status: 200, named: true };
}

/** `10.18.43.30:80`, `UDP 10.18.43.30:53`, `10.18.43.30:80 (www.example.org)`. */
export function entranceName({ vip, port, protocol, page, userAgent }: Entrance): string {
  const more = [page?.hostHeader, userAgent && `as ${userAgent}`].filter((word) => word !== undefined);
  return `${protocol === 'udp' ? 'UDP ' : ''}${endpoint(vip, port)}${more.length > 0 ? ` (${more.join(', ')})` : ''}`;
}

/** From one address every connection of a persistent or hashing service goes to one backend. */
export function needsSources({ persistence, scheduler, schedulerFlags }: Entrance): boolean {
  const hashes = scheduler === 'sh' || scheduler === 'mh';
  return persistence !== undefined || (hashes && !schedulerFlags.includes(`${scheduler}-port`));
}

function ofService(service: VirtualServer, fleet: Fleet): readonly Entrance[] {
  const { vip, scheduler, schedulerFlags, persistence, persistenceGranularity, realServers, check } = service;
  return frontsOf(service).map(({ port, protocol }) => {
    const payload = protocol === 'udp' ? questionOf(check) : undefined;
    const page = commonPage(service, { port, protocol }, fleet);
    return {
      ...{ vip, port, protocol, scheduler, schedulerFlags, service },
      ...(page && { page }),
      wholeNetworks: !['255.255.255.255', '128', undefined].includes(persistenceGranularity),
      servers: realServers.map(({ host, weight }) => ({ host, weight })),
      ...(persistence !== undefined && { persistence }),
      ...(payload !== undefined && { payload }),
    };
  });
}

/** What can be asked whichever real server answers. */
function commonPage(service: VirtualServer, front: Front, fleet: Fleet): WebPage | undefined {
  const pages = service.realServers.map((real) => webPage({ service, real }, front, fleet));
  const [first] = pages;
  return first && pages.every((page) => page !== undefined) ? { ...first, named: pages.every((page) => page.named) } : undefined;
}

/** What the health check asks by UDP. */
export function questionOf({ kind, payload, name = '.', type = 'SOA' }: HealthCheck): string | undefined {
  return kind === 'dns' ? dnsQuestion(name, type) : payload;
}

/** A site as everybody sees it, and as each kind of browser that is sent elsewhere. */
function ofSite({ vip, port, serverName, upstream, byUserAgent }: ProxySite, fleet: Fleet): readonly Entrance[] {
  const of = (name: string, userAgent?: string): readonly Entrance[] => {
    const found = fleet.proxy?.upstreams.find((each) => each.name === name);
    if (!found) return [];
    const servers = found.servers.map(({ host, weight, backup }) => ({ host, weight: backup ? 0 : weight }));
    return [
      {
        ...{ vip, port, protocol: 'tcp', scheduler: found.method, schedulerFlags: [], wholeNetworks: false, servers },
        page: sitePage(serverName, found.servers, fleet),
        ...(userAgent !== undefined && { userAgent }),
      },
    ];
  };
  const others = byUserAgent.flatMap((rule, index) => {
    const browser = browserFor(
      rule.match,
      byUserAgent.slice(0, index).map(({ match }) => match),
    );
    return browser === undefined ? [] : of(rule.upstream, browser);
  });
  return [...of(upstream), ...others];
}

/** The page of a site whose backends' web server lvsctl sees to; of others only that they answer. */
export function sitePage(
  serverName: string | undefined,
  servers: readonly Pick<Upstream['servers'][number], 'port'>[],
  fleet: Fleet,
): WebPage {
  const ours = servers.every(({ port }) => servesOwn(fleet, port));
  const site = ours ? namedSite(fleet, serverName) : undefined;
  const page = { hostHeader: serverName, tls: false, status: ours ? 200 : undefined };
  return { ...page, path: site?.path ?? '/', named: ours && !site, text: site && firstLine(site.body) };
}

/** The first piece of plain text in a regular expression that it matches, and none before it; `undefined`: one has to look by hand. */
function browserFor(match: string, before: readonly string[]): string | undefined {
  const fits = (pattern: string, text: string): boolean => {
    try {
      return new RegExp(pattern, 'i').test(text);
    } catch {
      return false;
    }
  };
  const pieces = match.match(/[A-Za-z0-9]+/g) ?? [];
  return pieces.find((piece) => fits(match, piece) && !before.some((pattern) => fits(pattern, piece)));
}
