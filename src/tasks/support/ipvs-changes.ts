/** What must change in the kernel's table of one virtual server, and with which words of ipvsadm. */
import { type Change, type Sh, sh } from '../../task.ts';
import { shortAddress, type TableRow, type TableService } from './ip-vs.ts';
import { type BelievedServer, type BelievedService, believesOtherwise } from './keepalived-beliefs.ts';
import type { KeepalivedWant } from './keepalived-params.ts';

export type IpvsService = KeepalivedWant['services'][number];

export interface IpvsSeen {
  readonly table: readonly TableService[];
  readonly believed: readonly BelievedService[];
  readonly hz: number;
}

type Wanted = Pick<TableRow, 'weight'> & { readonly server: BelievedServer };

/** Pure. Where keepalived believes something else than is wanted, its reload is yet to come: that is left to it. */
export function serviceChanges(service: IpvsService, { table, believed, hz }: IpvsSeen): readonly Change[] {
  const known = believed.find(({ address, port }) => address === service.vip && port === service.port);
  if (!known || known.scheduler !== service.scheduler || known.persistence !== (service.persistence ?? 0)) return [];
  const entry = table.find((each) => isOf(each, service));
  return [...serviceChange(service, entry, hz), ...rowChanges(service, known, entry?.rows ?? [])];
}

/** Virtual servers that are none of ours, in words. */
export function strangersIn(table: readonly TableService[], services: readonly IpvsService[]): readonly string[] {
  const others = table.filter((entry) => !services.some((service) => isOf(entry, service)));
  return others.map(({ protocol, address, port }) => (protocol === 'FWM' ? `FWM ${address}` : `${protocol} ${address}:${port}`));
}

function isOf({ protocol, address, port }: TableService, service: IpvsService): boolean {
  return protocol === 'TCP' && address === shortAddress(service.vip) && port === service.port;
}

function serviceChange(service: IpvsService, entry: TableService | undefined, hz: number): readonly Change[] {
  const { scheduler, persistence = 0 } = service;
  const ticks = entry?.persistence;
  // Where the kernel does not say its tick, only its being persistent or not can be compared.
  const held = ticks === undefined ? 0 : Number.isNaN(hz) ? persistence || ticks : ticks / hz;
  if (entry?.scheduler === scheduler && held === persistence) return [];
  const words = [...servicePlace(service), '-s', scheduler, ...(persistence > 0 ? ['-p', String(persistence)] : [])];
  const shown = (name: string, seconds: number) => `${name}${seconds > 0 ? `, persistent ${seconds} s` : ''}\n`;
  const was = entry ? shown(entry.scheduler, held) : '';
  const will = shown(scheduler, persistence);
  return [
    {
      id: `service:${placeOf(service)}`,
      title: `${entry ? 'set' : 'add'} the virtual server ${placeOf(service)} in the kernel: ${will.trim()}`,
      was,
      will,
      run: either(sh`ipvsadm -A ${words}`, sh`ipvsadm -E ${words}`),
    },
  ];
}

function rowChanges(service: IpvsService, known: BelievedService, rows: readonly TableRow[]): readonly Change[] {
  const wanted = service.realServers.flatMap((real): readonly Wanted[] => {
    const server = known.servers.find((each) => sameServer(each, { address: real.rip, port: real.port }));
    if (!server || server.weight !== real.weight || server.forward !== service.forward) return [];
    if (server.alive) return [{ server, weight: server.effectiveWeight }];
    return server.inhibit ? [{ server, weight: 0 }] : [];
  });
  const kept = [...wanted.map(({ server }) => server), ...waiting(service, known), ...sorryServers(service)];
  return [
    ...wanted.flatMap((row) => rowChange(service, row, rows)),
    ...rows.filter((row) => !kept.some((each) => sameServer(each, row))).map((row) => removal(service, row, known)),
  ];
}

/** Servers of which keepalived believes something else than is wanted: its reload will say. */
function waiting(service: IpvsService, known: BelievedService): readonly BelievedServer[] {
  return known.servers.filter((server) => {
    const real = service.realServers.find(({ rip, port }) => sameServer(server, { address: rip, port }));
    return real?.weight !== server.weight || server.forward !== service.forward;
  });
}

function sorryServers({ sorryServer }: IpvsService): readonly Pick<TableRow, 'address' | 'port'>[] {
  return sorryServer ? [sorryServer] : [];
}

function sameServer(one: Pick<TableRow, 'address' | 'port'>, other: Pick<TableRow, 'address' | 'port'>): boolean {
  return shortAddress(one.address) === shortAddress(other.address) && one.port === other.port;
}

const flags = { dr: '-g', nat: '-m', tun: '-i' } as const;

/** ipvsadm falls back to direct routing and weight 1 for what it is not told, so it is always told both. */
function rowChange(service: IpvsService, { server, weight }: Wanted, rows: readonly TableRow[]): readonly Change[] {
  const row = rows.find((each) => sameServer(each, server));
  // The kernel shows a real server that is the director itself as local, however it was added.
  if (row?.weight === weight && (row.forward === service.forward || row.forward === 'local')) return [];
  const place = `${server.address}:${server.port}`;
  const words = [...servicePlace(service), '-r', place, flags[service.forward], '-w', String(weight)];
  return [
    {
      id: `${row ? 'edit' : 'add'}:${placeOf(service)}>${place}`,
      title: row
        ? `set the real server ${place} of ${placeOf(service)} in the kernel to ${service.forward}, weight ${weight}`
        : `add the real server ${place} to ${placeOf(service)} in the kernel: keepalived believes that it is there`,
      was: row ? `${place} ${row.forward}, weight ${row.weight}\n` : '',
      will: `${place} ${service.forward}, weight ${weight}\n`,
      run: either(sh`ipvsadm -a ${words}`, sh`ipvsadm -e ${words}`),
      unless: believesOtherwise({ address: service.vip, port: service.port }, server, server.alive),
    },
  ];
}

/** A row that keepalived does not know, or of a server whose check fails: connections to it are lost. */
function removal(service: IpvsService, row: TableRow, known: BelievedService): Change {
  const place = `${row.address}:${row.port}`;
  const dead = known.servers.find((server) => sameServer(server, row));
  const words = [...servicePlace(service), '-r', place];
  return {
    id: `remove:${placeOf(service)}>${place}`,
    title: `take the real server ${place} of ${placeOf(service)} out of the kernel: ${dead ? 'its health check fails' : 'keepalived does not know it'}`,
    was: `${place} ${row.forward}, weight ${row.weight}\n`,
    will: '',
    // Gone meanwhile is as good.
    run: sh`ipvsadm -d ${words} || ! ipvsadm -Ln ${servicePlace(service)} | grep -qF ${`-> ${place} `}`,
    ...(dead && { unless: believesOtherwise({ address: service.vip, port: service.port }, dead, false) }),
  };
}

function placeOf({ vip, port }: IpvsService): string {
  return `${vip}:${port}`;
}

function servicePlace(service: IpvsService): readonly string[] {
  return ['-t', placeOf(service)];
}

/** Adds, or edits what is there already: safe to run again. */
function either(add: Sh, edit: Sh): Sh {
  return sh`${add} 2>/dev/null || ${edit}`;
}
