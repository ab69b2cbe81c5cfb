/** What must change in the kernel's table of one virtual server, and with which words of ipvsadm. */
import { type Change, type Sh, sh } from '../../../task.ts';
import { type BelievedServer, type BelievedService, believesOtherwise } from '../keepalived/beliefs.ts';
import { serviceName } from '../keepalived/params.ts';
import { realPort } from '../keepalived/services.ts';
import { type Limits, type ServiceDetails, socket } from './kernel-details.ts';
import { shortAddress, type TableRow, type TableService } from './kernel-table.ts';
import type { ServiceParams } from './virtual-server-params.ts';

export type IpvsService = ServiceParams;

export interface IpvsSeen {
  readonly table: readonly TableService[];
  readonly believed: readonly BelievedService[];
  readonly hz: number;
  /** Empty where ipvsadm is missing: then they are not compared. */
  readonly details: ReadonlyMap<string, ServiceDetails>;
  readonly limits: ReadonlyMap<string, Limits>;
}

type Place = Pick<TableRow, 'address' | 'port'>;

/** A row as it should be. */
interface Wanted extends Place, Limits {
  readonly weight: number;
  readonly forward: string;
  /** What keepalived believes of it; absent: it is the sorry server. */
  readonly server?: BelievedServer;
}

/** Pure. Where keepalived believes something else than is wanted, its reload is yet to come: that is left to it. */
export function serviceChanges(service: IpvsService, seen: IpvsSeen): readonly Change[] {
  const known = believedOf(service, seen.believed);
  if (!known || !hasRead(service, known)) return [];
  const entry = seen.table.find((each) => isOf(each, service));
  return [...serviceChange(service, entry, seen), ...rowChanges(service, known, entry?.rows ?? [], seen)];
}

/** Virtual servers that are none of ours, in words. */
export function strangersIn(table: readonly TableService[], services: readonly IpvsService[]): readonly string[] {
  const others = table.filter((entry) => !services.some((service) => isOf(entry, service)));
  return others.map(({ protocol, address, port }) => (protocol === 'FWM' ? `FWM ${address}` : `${protocol} ${socket({ address, port })}`));
}

export function believedOf(service: IpvsService, believed: readonly BelievedService[]): BelievedService | undefined {
  return believed.find((each) => isOf(each, service));
}

function isOf({ protocol, address, port }: Pick<TableService, 'protocol' | 'address' | 'port'>, service: IpvsService): boolean {
  if (service.fwmark) return protocol === 'FWM' && address === String(service.fwmark.mark);
  return protocol === service.protocol.toUpperCase() && shortAddress(address) === shortAddress(service.vip) && port === service.port;
}

function hasRead(service: IpvsService, known: BelievedService): boolean {
  return (
    known.scheduler === service.scheduler &&
    known.persistence === (service.persistence ?? 0) &&
    (known.granularity ?? '') === (service.persistenceGranularity ?? '') &&
    known.onePacket === service.onePacket &&
    known.flags.join() === sortedFlags(service)
  );
}

function sortedFlags({ schedulerFlags }: IpvsService): string {
  return [...schedulerFlags].sort().join();
}

function serviceChange(service: IpvsService, entry: TableService | undefined, { hz, details }: IpvsSeen): readonly Change[] {
  const { scheduler, persistence = 0, persistenceGranularity: granularity = '', onePacket } = service;
  const flags = sortedFlags(service);
  const ticks = entry?.persistence;
  // Where the kernel does not say its tick, only its being persistent or not can be compared.
  const held = ticks === undefined ? 0 : Number.isNaN(hz) ? persistence || ticks : ticks / hz;
  const found = details.get(placeWords(service).join(' ')) ?? { flags: service.schedulerFlags, onePacket, granularity };
  const was = entry ? shown(entry.scheduler, held, found) : '';
  const will = shown(scheduler, persistence, { flags: service.schedulerFlags, onePacket, granularity });
  if (was === will) return [];
  const words = [
    ...servicePlace(service),
    ...['-s', scheduler],
    ...(flags === '' ? [] : ['-b', flags]),
    ...(persistence > 0 ? ['-p', String(persistence)] : []),
    ...(granularity === '' ? [] : ['-M', granularity]),
    ...(onePacket ? ['-o'] : []),
  ];
  const name = serviceName(service);
  return [
    {
      id: `service:${name}`,
      title: `${entry ? 'set' : 'add'} the virtual server ${name} in the kernel: ${will.trim()}`,
      was,
      will,
      run: either(sh`ipvsadm -A ${words}`, sh`ipvsadm -E ${words}`),
    },
  ];
}

function shown(scheduler: string, seconds: number, { flags, onePacket, granularity }: ServiceDetails): string {
  const words = [
    [scheduler, ...[...flags].sort()].join(' '),
    seconds > 0 && `persistent ${seconds} s${granularity ? ` by ${granularity}` : ''}`,
    onePacket && 'one packet at a time',
  ];
  return `${words.filter(Boolean).join(', ')}\n`;
}

function rowChanges(service: IpvsService, known: BelievedService, rows: readonly TableRow[], seen: IpvsSeen): readonly Change[] {
  const wanted = wantedRows(service, known);
  const kept: readonly Place[] = [...wanted, ...waiting(service, known)];
  return [
    ...wanted.flatMap((row) => rowChange(service, row, rows, seen)),
    ...rows.filter((row) => !kept.some((each) => sameServer(each, row))).map((row) => removal(service, row, known)),
  ];
}

function wantedRows(service: IpvsService, known: BelievedService): readonly Wanted[] {
  const sorry = known.quorumUp ? undefined : known.sorry;
  const rows = service.realServers.flatMap((real): readonly Wanted[] => {
    const server = known.servers.find((each) => sameServer(each, placeOf(service, real)));
    if (!server || !isRead(service, real, server)) return [];
    const row = { ...placeOf(service, real), forward: service.forward, upper: server.upperThreshold, lower: server.lowerThreshold, server };
    if (server.alive && !sorry) return [{ ...row, weight: server.effectiveWeight }];
    return server.inhibit ? [{ ...row, weight: 0 }] : [];
  });
  const { address, port, forward } = sorry ?? { address: '', port: 0, forward: '' };
  return sorry && service.sorryServer ? [...rows, { address, port, forward, weight: 1, upper: 0, lower: 0 }] : rows;
}

/** keepalived has read of it what is wanted. */
function isRead(service: IpvsService, real: IpvsService['realServers'][number], server: BelievedServer): boolean {
  const limits = server.upperThreshold === (real.upperThreshold ?? 0) && server.lowerThreshold === (real.lowerThreshold ?? 0);
  return limits && server.weight === real.weight && server.forward === service.forward;
}

/** Servers of which keepalived believes something else than is wanted: its reload will say. */
function waiting(service: IpvsService, known: BelievedService): readonly Place[] {
  const servers = known.servers.filter((server) => {
    const real = service.realServers.find((each) => sameServer(server, placeOf(service, each)));
    return !real || !isRead(service, real, server);
  });
  const { sorryServer: wanted } = service;
  const sorry = wanted && { address: wanted.address, port: realPort(service, wanted.port) };
  if (known.sorry && sorry && sameServer(known.sorry, sorry)) return servers;
  return [...servers, ...[known.sorry, sorry].filter((each) => each !== undefined)];
}

function placeOf(service: IpvsService, { rip, port }: { readonly rip: string; readonly port: number }): Place {
  return { address: rip, port: realPort(service, port) };
}

function sameServer(one: Place, other: Place): boolean {
  return shortAddress(one.address) === shortAddress(other.address) && one.port === other.port;
}

const methods: Readonly<Record<string, string>> = { dr: '-g', nat: '-m', tun: '-i' };

/** ipvsadm falls back to direct routing, weight 1 and no limits for what it is not told, so it is always told all. */
function rowChange(service: IpvsService, want: Wanted, rows: readonly TableRow[], { limits }: IpvsSeen): readonly Change[] {
  const { server, weight, forward, upper, lower } = want;
  const row = rows.find((each) => sameServer(each, want));
  const [place, name] = [socket(want), serviceName(service)];
  const found = limits.get(`${placeWords(service).join(' ')}>${place}`) ?? { upper, lower };
  // The kernel shows a real server that is the director itself as local, however it was added.
  const was = row ? shownRow(place, row.forward === 'local' ? forward : row.forward, row.weight, found) : '';
  const will = shownRow(place, forward, weight, want);
  if (was === will) return [];
  const bounds = upper > 0 || found.upper > 0 ? ['-x', String(upper), '-y', String(lower)] : [];
  const words = [...servicePlace(service), '-r', place, methods[forward] ?? '-g', '-w', String(weight), ...bounds];
  return [
    {
      id: `${row ? 'edit' : 'add'}:${name}>${place}`,
      title: row
        ? `set the real server ${place} of ${name} in the kernel to ${will.trim().slice(place.length + 1)}`
        : `add the ${server ? 'real' : 'sorry'} server ${place} to ${name} in the kernel: keepalived believes that it is there`,
      was,
      will,
      run: either(sh`ipvsadm -a ${words}`, sh`ipvsadm -e ${words}`),
      ...(server && { unless: believesOtherwise(believedPlace(service), server, server.alive) }),
    },
  ];
}

function shownRow(place: string, forward: string, weight: number, { upper, lower }: Limits): string {
  return `${place} ${forward}, weight ${weight}${upper > 0 ? `, ${lower} to ${upper} connections` : ''}\n`;
}

/** A row that keepalived does not know, or of a server that must not answer: connections to it are lost. */
function removal(service: IpvsService, row: TableRow, known: BelievedService): Change {
  const [place, name] = [socket(row), serviceName(service)];
  const server = known.servers.find((each) => sameServer(each, row));
  const words = [...servicePlace(service), '-r', place];
  return {
    id: `remove:${name}>${place}`,
    title: `take the real server ${place} of ${name} out of the kernel: ${reason(row, known, server)}`,
    was: `${place} ${row.forward}, weight ${row.weight}\n`,
    will: '',
    // Gone meanwhile is as good.
    run: sh`ipvsadm -d ${words} || ! ipvsadm -Ln ${servicePlace(service)} | grep -qF ${`-> ${place} `}`,
    ...(server && !server.alive && { unless: believesOtherwise(believedPlace(service), server, false) }),
  };
}

function reason(row: TableRow, known: BelievedService, server: BelievedServer | undefined): string {
  if (server) return server.alive ? 'too few others are healthy, and the sorry server answers' : 'its health check fails';
  return known.sorry && sameServer(known.sorry, row)
    ? 'it is the sorry server, and enough others are healthy'
    : 'keepalived does not know it';
}

function believedPlace({ vip, port, protocol, fwmark }: IpvsService): Pick<BelievedService, 'protocol' | 'address' | 'port'> {
  if (fwmark) return { protocol: 'FWM', address: String(fwmark.mark), port: 0 };
  return { protocol: protocol === 'udp' ? 'UDP' : 'TCP', address: vip, port };
}

/** By which words ipvsadm lists the service. */
function placeWords({ vip, port, protocol, fwmark }: IpvsService): readonly string[] {
  if (fwmark) return ['-f', String(fwmark.mark)];
  return [protocol === 'udp' ? '-u' : '-t', socket({ address: vip, port })];
}

/** By which words ipvsadm takes it: of a mark it must be told the family. */
function servicePlace(service: IpvsService): readonly string[] {
  return [...placeWords(service), ...(service.fwmark && service.vip.includes(':') ? ['-6'] : [])];
}

/** Adds, or edits what is there already: safe to run again. */
function either(add: Sh, edit: Sh): Sh {
  return sh`${add} 2>/dev/null || ${edit}`;
}
