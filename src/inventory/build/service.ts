/** Virtual servers as typed → as the other stages read them. */
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { FirewallMark, HealthCheck, Host, RealServer, VirtualServer } from '../../model.ts';
import { familyOf } from '../addresses.ts';
import { defined } from '../defined.ts';
import { chosenBackends } from '../hosts/entries.ts';
import { type CheckShape, checkKinds } from '../schema/check.ts';
import { splitSocket } from '../schema/fields.ts';
import type { ServiceShape } from '../schema/service.ts';

/** `file` is the inventory's path: what it names lies relative to it. */
export function buildService(said: ServiceShape, hosts: readonly Host[], file: string): VirtualServer {
  const fwmark = buildMark(said);
  const port = fwmark?.ports[0]?.port ?? said.port ?? 0;
  return defined({
    vip: said.vip,
    port,
    protocol: fwmark?.ports[0]?.protocol ?? said.protocol,
    fwmark,
    scheduler: said.scheduler,
    schedulerFlags: said.scheduler_flags,
    forward: said.forward,
    persistence: said.persistence,
    persistenceGranularity: said.persistence_granularity,
    onePacket: said.one_packet,
    quorum: said.quorum,
    hysteresis: said.hysteresis,
    check: buildCheck(said, file),
    realServers: buildRealServers(said, port, hosts),
    sorryServer: said.sorry_server === undefined ? undefined : splitSocket(said.sorry_server),
    redirect: said.redirect,
  });
}

function buildMark({ fwmark, ports = [], protocol }: ServiceShape): FirewallMark | undefined {
  if (fwmark === undefined) return undefined;
  return { mark: fwmark, ports: ports.map((port) => (typeof port === 'number' ? { port, protocol } : port)) };
}

type Kind = (typeof checkKinds)[number];

/** The kinds of check that are said; one, if the inventory is right. */
export function saidKinds(check: CheckShape): readonly Kind[] {
  return checkKinds.filter((kind) => check[kind] !== undefined);
}

/** A UDP service is not asked over TCP, where nothing else is said. */
function buildCheck(service: ServiceShape, file: string): HealthCheck {
  const { check: said, protocol, redirect } = service;
  const kind = saidKinds(said)[0] ?? (protocol === 'udp' ? 'udp' : 'tcp');
  const times = said[kind] ?? { timeout: 3, retry: 3, delay_before_retry: 3 };
  const { misc, dns, udp } = said;
  const web = kind === 'https' ? said.https : kind === 'http' ? said.http : undefined;
  return defined({
    kind,
    timeout: times.timeout,
    retry: times.retry,
    delayBeforeRetry: times.delay_before_retry,
    delayLoop: said.delay_loop,
    port:
      ('port' in times ? (times.port as number | undefined) : undefined) ?? redirect ?? (kind === 'https' ? tlsPort(service) : undefined),
    ...defined({
      path: web?.path,
      hostHeader: web?.host,
      status: web?.status,
      regex: web?.regex,
      sni: kind === 'https' ? said.https?.sni : undefined,
    }),
    ...(kind === 'misc' && misc && { script: scriptNear(misc.script, file), arguments: misc.arguments }),
    ...(kind === 'dns' && dns && { type: dns.type, name: dns.name }),
    ...(kind === 'udp' && { payload: udp?.payload?.toLowerCase(), requireReply: udp?.require_reply ?? false }),
  });
}

/** Of several ports under one mark the one that speaks TLS: what is UDP there (QUIC) does not. */
function tlsPort(service: ServiceShape): number | undefined {
  return buildMark(service)?.ports.find(({ port, protocol }) => port === 443 && protocol === 'tcp')?.port;
}

/** Real servers of the VIP's family. */
function buildRealServers(service: ServiceShape, port: number, hosts: readonly Host[]): readonly RealServer[] {
  const { names, settings } = chosenBackends(service.backends);
  const chosen = hosts.filter((host) => host.role === 'backend' && (names?.includes(host.name) ?? true));
  return chosen.flatMap((host) => {
    const rip = host.rips?.find((address) => familyOf(address) === familyOf(service.vip));
    if (rip === undefined) return [];
    const own = settings[host.name];
    return defined({
      host: host.name,
      rip,
      port: own?.port ?? port,
      weight: own?.weight ?? host.weight ?? 1,
      upperThreshold: own?.upper_threshold || undefined,
      lowerThreshold: own?.lower_threshold || undefined,
    });
  });
}

/** A path that the inventory says, from where we are. */
export function nearInventory(path: string, file: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path);
}

/** A script that the inventory says: whole, because playbooks find it from where they lie themselves. */
export function scriptNear(path: string, file: string): string {
  return resolve(dirname(file), path);
}
