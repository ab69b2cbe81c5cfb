/** The cluster as its directors see it now: who has the VIPs, and what each real server is given. Pure; it judges nothing (that is verify). */
import { entryOf, rowPort } from '../checks/support/table-entries.ts';
import { endpoint, serviceName } from '../checks/support/topology.ts';
import type { Fleet, VirtualServer } from '../model.ts';
import type { Look } from '../task.ts';
import { shortAddress, type TableRow, type TableService } from '../tasks/support/ipvs/kernel-table.ts';
import { type DirectorState, directorState, type Rates } from './director-state.ts';

export interface ClusterStatus {
  readonly directors: readonly DirectorStatus[];
  /** One for each virtual server and director that has its VIP; one without a director where none has it. */
  readonly services: readonly ServiceStatus[];
}

export interface DirectorStatus {
  readonly host: string;
  /** VIPs that it answers for; none: a backup. */
  readonly vips: readonly string[];
  /** Why nothing is known of it. */
  readonly why?: string;
}

export interface ServiceStatus {
  /** `10.18.43.30:80`, `UDP 10.18.43.30:53`, `mark 7 (10.18.43.30)`. */
  readonly service: string;
  readonly director?: string;
  /** As the kernel has it; absent: the director's table has no such virtual server. */
  readonly scheduler?: string;
  readonly realServers: readonly RealServerStatus[];
}

export interface RealServerStatus {
  /** Absent: the inventory has no such real server. */
  readonly host?: string;
  readonly server: string;
  /** `out`: not in the table, since its health check fails or it was taken out by hand. `sorry`: the sorry server, in the place of the others. */
  readonly state: 'in' | 'out' | 'sorry' | 'unknown';
  readonly weight?: number;
  readonly active?: number;
  readonly inactive?: number;
  /** Absent where ipvsadm is not there to tell. */
  readonly rates?: Rates;
}

/** `looks`: answers to `statusProbe`, by director; `unreached`: why there is none. */
export function statusOf(fleet: Fleet, looks: readonly Look[], unreached: Readonly<Record<string, string>>): ClusterStatus {
  const states = new Map(looks.flatMap((look) => [[look.host.name, directorState(look)] as const]));
  const known = [...states].flatMap(([host, state]) => (state ? [{ host, state, vips: vipsOn(state, fleet) }] : []));
  const directors = fleet.hosts.flatMap(({ name, role }): readonly DirectorStatus[] => {
    const one = known.find(({ host }) => host === name);
    if (one) return [{ host: name, vips: one.vips }];
    const why = unreached[name] ?? (states.has(name) ? 'it did not say all that it was asked' : undefined);
    return role === 'director' && why !== undefined ? [{ host: name, vips: [], why }] : [];
  });
  const services = fleet.services.flatMap((service): readonly ServiceStatus[] => {
    const holders = known.filter(({ vips }) => vips.includes(service.vip));
    if (holders.length === 0) return [{ service: serviceName(service), realServers: [] }];
    return holders.map(({ host, state }) => serviceOn(host, state, service));
  });
  return { directors, services };
}

/** One on lo is there for packets, not for ARP: a director that is a real server too answers for nothing by it. */
function vipsOn({ addresses }: DirectorState, { vips }: Fleet): readonly string[] {
  return vips.filter((vip) => addresses.some(({ address, nic }) => address === vip && nic !== 'lo'));
}

function serviceOn(director: string, { table, rates }: DirectorState, service: VirtualServer): ServiceStatus {
  const entry = entryOf(service, table);
  const head = { service: serviceName(service), director };
  if (!entry) return { ...head, realServers: service.realServers.map(({ host, rip, port }) => out(host, endpoint(rip, port))) };
  const place = `${entry.protocol} ${entry.protocol === 'FWM' ? entry.address : endpoint(entry.address, entry.port)}`;
  const seen = (row: TableRow, who: Pick<RealServerStatus, 'host' | 'state'>): RealServerStatus => {
    const server = endpoint(row.address, row.port);
    const rate = rates.get(`${place} ${server}`);
    const { weight, active, inactive } = row;
    return { ...who, server, weight, active, inactive, ...(rate && { rates: rate }) };
  };
  const declared = service.realServers.map((real) => {
    const row = entry.rows.find(({ address, port }) => address === shortAddress(real.rip) && port === rowPort(service, real));
    return { row, status: row ? seen(row, { host: real.host, state: 'in' }) : out(real.host, endpoint(real.rip, rowPort(service, real))) };
  });
  const others = entry.rows.filter((row) => !declared.some((each) => each.row === row));
  const strange = others.map((row) => seen(row, { state: isSorry(row, service) ? 'sorry' : 'unknown' }));
  return { ...head, scheduler: entry.scheduler, realServers: [...declared.map(({ status }) => status), ...strange] };
}

function out(host: string, server: string): RealServerStatus {
  return { host, server, state: 'out' };
}

function isSorry({ address, port }: TableService['rows'][number], { sorryServer, fwmark }: VirtualServer): boolean {
  return sorryServer !== undefined && shortAddress(sorryServer.address) === address && (sorryServer.port === port || fwmark !== undefined);
}
