/** What clients connect to, and who may answer: ports of virtual servers, and sites of nginx on the directors. */
import type { Fleet, HealthCheck, Protocol, ProxySite, Scheduler, VirtualServer } from '../../model.ts';
import { dnsQuestion } from './datagrams.ts';
import { answeringPort, endpoint, frontsOf, namedSite, speaksTls } from './topology.ts';

export interface Entrance {
  readonly vip: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly tls: boolean;
  /** Name that is asked for, where the VIP serves several sites. */
  readonly hostHeader?: string;
  readonly userAgent?: string;
  /** The one page of a site that has no page with its backend's name. */
  readonly path?: string;
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

export function entrancesOf(fleet: Fleet): readonly Entrance[] {
  return [
    ...fleet.services.flatMap((service) => ofService(service, fleet)),
    ...(fleet.proxy?.sites ?? []).flatMap((site) => ofSite(site, fleet)),
  ];
}

/** `10.18.43.30:80`, `UDP 10.18.43.30:53`, `10.18.43.30:80 (www.example.org)`. */
export function entranceName({ vip, port, protocol, hostHeader, userAgent }: Entrance): string {
  const more = [hostHeader, userAgent && `as ${userAgent}`].filter((word) => word !== undefined);
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
    const [first] = realServers;
    const behind = first ? answeringPort({ service, real: first }, { port, protocol }) : port;
    const payload = protocol === 'udp' ? questionOf(check) : undefined;
    return {
      ...{ vip, port, protocol, scheduler, schedulerFlags, service },
      tls: speaksTls(fleet, behind, { protocol }),
      wholeNetworks: !['255.255.255.255', '128', undefined].includes(persistenceGranularity),
      servers: realServers.map(({ host, weight }) => ({ host, weight })),
      ...(persistence !== undefined && { persistence }),
      ...(payload !== undefined && { payload }),
    };
  });
}

/** What the health check asks by UDP. */
export function questionOf({ kind, payload, name = '.', type = 'SOA' }: HealthCheck): string | undefined {
  return kind === 'dns' ? dnsQuestion(name, type) : payload;
}

/** A site as everybody sees it, and as each kind of browser that is sent elsewhere. */
function ofSite({ vip, port, serverName, upstream, byUserAgent }: ProxySite, fleet: Fleet): readonly Entrance[] {
  const named = namedSite(fleet, serverName);
  const of = (name: string, userAgent?: string): readonly Entrance[] => {
    const found = fleet.proxy?.upstreams.find((each) => each.name === name);
    if (!found) return [];
    const servers = found.servers.map(({ host, weight, backup }) => ({ host, weight: backup ? 0 : weight }));
    return [
      {
        ...{ vip, port, protocol: 'tcp', tls: false, scheduler: found.method, schedulerFlags: [], wholeNetworks: false, servers },
        ...(serverName !== undefined && { hostHeader: serverName }),
        ...(userAgent !== undefined && { userAgent }),
        ...(named && { path: named.path }),
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
