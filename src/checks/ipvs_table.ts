/** The virtual servers in every director's kernel are those of the inventory, no more and no less. */
import { z } from 'zod';
import type { Fleet, RealServer, VirtualServer } from '../model.ts';
import { defineCheck, type Finding, type Look, lines, type Sh, sh } from '../task.ts';
import { hexAddress, parseTable, shortAddress, type TableRow, type TableService } from '../tasks/support/ipvs/kernel-table.ts';
import { count, excerpt, fail, listed, nobodyLooked, pass, toolMissing, unreadable } from './support/finding.ts';
import { type Detail, detailProbe, detailsOf, needsDetail } from './support/ipvs-details.ts';
import { addWords, editWords, serviceWords, type ToldService } from './support/ipvsadm-words.ts';
import { heard, type Said, telling } from './support/said.ts';
import { entryOf, rowPort } from './support/table-entries.ts';
import { endpoint, ipvsadmPlace, serviceName } from './support/topology.ts';

export default defineCheck({
  summary:
    "Each director's IPVS table equals the inventory: virtual servers, scheduler, persistence, forwarding, real servers and weights.",
  params: z.strictObject({}),
  from: ['director'],
  probe: (_, __, fleet) => telling(tableProbe, logProbe(fleet), fleet.services.some(needsDetail) && detailProbe),
  expect: (looks, _, { fleet }) => {
    const expected = fleet.services.length > 0 ? `${count(fleet.services.length, 'virtual server')} as in the inventory` : nothingElse;
    return looks.length === 0 ? [nobodyLooked('director', fleet, expected)] : looks.flatMap((look) => judgeHost(look, fleet, expected));
  },
  example: {},
});

const nothingElse = 'no virtual server that is not in the inventory';

/** `error_cost` is one second in jiffies by default: the unit in which the table tells persistence. `grep`, for `read` gets one digit only. */
const tableProbe = sh`table=''
if [ -r /proc/net/ip_vs ]; then
  while IFS= read -r line; do
    printf 'table %s\n' "$line"
    table="$table$line|"
  done </proc/net/ip_vs
else printf 'absent\n'; fi
grep -s '' /proc/sys/net/ipv4/route/error_cost | while read -r hz; do printf 'hz %s\n' "$hz"; done`;

/** What keepalived said of the real servers that are not in the table; asked only when there is one. */
function logProbe({ services, vrrp }: Fleet): Sh {
  const rows = services.flatMap((service) =>
    service.realServers.map((real) => `-> ${hexAddress(real.rip)}:${hexPort(rowPort(service, real))} `),
  );
  if (rows.length === 0 || !vrrp) return lines();
  return sh`missing=no
for row in ${rows}; do case $table in *"$row"*) ;; *) missing=yes ;; esac; done
[ "$missing" = no ] || [ -z "$table" ] || journalctl -u keepalived -n 50 -o cat --no-pager 2>/dev/null | while IFS= read -r line; do printf 'log %s\n' "$line"; done`;
}

function hexPort(port: number): string {
  return port.toString(16).padStart(4, '0').toUpperCase();
}

interface Place {
  readonly name: string;
  readonly fleet: Fleet;
  readonly said: Said;
  readonly table: readonly TableService[];
  /** `undefined`: ipvsadm is not there to tell. */
  readonly details: readonly Detail[] | undefined;
}

function judgeHost(look: Look, fleet: Fleet, expected: string): readonly Finding[] {
  const said = heard(look);
  if (!said) return [unreadable(look, expected)];
  const name = look.host.name;
  if (said.first('absent') !== undefined) {
    const found = 'no IPVS in the running kernel: there is no /proc/net/ip_vs';
    if (fleet.services.length === 0) return [pass(name, found, expected)];
    const fix = `modprobe ip_vs on ${name}, and ip_vs in /etc/modules-load.d; where that fails its kernel was built without IPVS`;
    return [fail(name, found, expected, fix)];
  }
  const table = parseTable(said.all('table'));
  if (!table) return [unreadable(look, expected)];
  const place = { name, fleet, said, table, details: detailsOf(said) };
  const wanted = fleet.services.flatMap((service) => judgeService(service, place));
  const others = strangers(place);
  const blind = fleet.services.some(needsDetail) && !place.details;
  const unseen = 'flags of schedulers, thresholds and one-packet scheduling as in the inventory';
  return [
    ...wanted,
    ...others,
    ...(wanted.length + others.length === 0 ? [pass(name, 'no virtual server in the kernel', expected)] : []),
    ...(blind ? [toolMissing(look.host, 'ipvsadm', 'ipvsadm', unseen)] : []),
  ];
}

function judgeService(service: VirtualServer, place: Place): readonly Finding[] {
  const { name, fleet, table } = place;
  const entry = entryOf(service, table);
  const expected = `${serviceName(service)} ${serviceWords(service)}`;
  if (!entry) {
    const add = fleet.vrrp
      ? `systemctl start keepalived on ${name}; if it runs, its keepalived.conf lacks virtual_server ${service.fwmark ? `fwmark ${service.fwmark.mark}` : `${service.vip} ${service.port}`}`
      : `${addWords(service)} on ${name}, and its real servers with ipvsadm -a; lvsctl deploy does both, and keeps it over a reboot`;
    return [fail(name, `${serviceName(service)} is not in the table`, expected, add)];
  }
  const rows = service.realServers.map((real) => judgeReal(service, real, entry, place));
  return [judgeEntry(service, entry, place, expected), ...rows, ...extraRows(service, entry, place)];
}

function judgeEntry(service: VirtualServer, entry: TableService, place: Place, expected: string): Finding {
  const { name, fleet } = place;
  const found = `${serviceName(service)} ${serviceWords(told(service, entry, place))}`;
  if (found === expected) return pass(name, found, expected);
  const kept = fleet.vrrp
    ? ', and the same in its keepalived.conf: a reload does not undo what was done by hand'
    : '; lvsctl deploy keeps it over a reboot';
  return fail(name, found, expected, `${editWords(service)} on ${name}${kept}`);
}

/** What the table says of a service; what it cannot say is taken to be as wanted, and said to be unseen elsewhere. */
function told(service: VirtualServer, entry: TableService, { said, details }: Place): ToldService {
  const detail = details?.find(({ place }) => place === ipvsadmPlace(service));
  const ipv6 = service.vip.includes(':') && !service.fwmark;
  const onePacket = detail?.onePacket ?? (ipv6 ? service.onePacket : (entry.onePacket ?? false));
  const persistence = entry.persistence === undefined ? undefined : seconds(entry.persistence, service, said);
  return {
    scheduler: entry.scheduler,
    schedulerFlags: detail?.flags ?? service.schedulerFlags,
    onePacket,
    ...(persistence !== undefined && { persistence }),
    ...(persistence !== undefined && entry.granularity !== undefined && { persistenceGranularity: entry.granularity }),
  };
}

/** Where the kernel's tick is not known, the usual ones are tried against what is wanted. */
function seconds(jiffies: number, { persistence: wanted = 0 }: VirtualServer, said: Said): number {
  const usual = [100, 250, 300, 1000];
  const hz = Number(said.first('hz'));
  if (hz >= 10 && hz <= 10_000) return jiffies / hz;
  return usual.some((tick) => jiffies === wanted * tick) ? wanted : jiffies / 250;
}

const flags = { dr: '-g', nat: '-m', tun: '-i' } as const;

function judgeReal(service: VirtualServer, real: RealServer, entry: TableService, place: Place): Finding {
  const { name, said, fleet } = place;
  const port = rowPort(service, real);
  const row = entry.rows.find((each) => each.address === shortAddress(real.rip) && each.port === port);
  const server = endpoint(real.rip, port);
  const where = `${real.host} (${service.fwmark ? real.rip : server}) in ${serviceName(service)}`;
  const expected = `${where}: ${service.forward}, weight ${real.weight}${limits(real)}`;
  const command = `${ipvsadmPlace(service)} -r ${server} ${flags[service.forward]} -w ${real.weight}${limitOptions(real)} on ${name}`;
  if (!row) {
    const log = said.all('log').findLast((line) => line.includes(`[${real.rip}]:`));
    const found = `${where} is missing${log === undefined ? '' : `; keepalived said "${excerpt(log, 120)}"`}`;
    const watched = fleet.vrrp !== undefined || fleet.static?.checkInterval !== undefined;
    const byHand = watched
      ? 'its health check fails: see real_server_page and backend_service; if it answers, the row was taken out by hand: '
      : '';
    return fail(name, found, expected, `${byHand}ipvsadm -a ${command}`);
  }
  const seen = place.details?.find((each) => each.place === ipvsadmPlace(service))?.rows.find((each) => each.server === server);
  const found = `${where}: ${row.forward}, weight ${row.weight}${limits(seen ?? real)}`;
  if (!sameForward(row, service)) {
    const kept = fleet.vrrp ? `lb_kind ${service.forward.toUpperCase()} in keepalived.conf and a reload, or ` : '';
    return fail(name, found, expected, `${kept}ipvsadm -e ${command}`);
  }
  if (row.weight === real.weight && limits(seen ?? real) === limits(real)) return pass(name, found, expected);
  const drained = 'it was drained, or its health check fails under inhibit_on_failure: see real_server_page';
  return fail(name, found, expected, `${row.weight === 0 ? `${drained}; otherwise ` : ''}ipvsadm -e ${command}`);
}

type Limits = Pick<RealServer, 'upperThreshold' | 'lowerThreshold'>;

function limits({ upperThreshold = 0, lowerThreshold = 0 }: Limits): string {
  return upperThreshold + lowerThreshold === 0 ? '' : `, thresholds ${upperThreshold} and ${lowerThreshold}`;
}

function limitOptions({ upperThreshold = 0, lowerThreshold = 0 }: Limits): string {
  return upperThreshold + lowerThreshold === 0 ? '' : ` -x ${upperThreshold} -y ${lowerThreshold}`;
}

/** The kernel shows a real server that is the director itself as local, however it was added. */
function sameForward(row: TableRow, service: VirtualServer): boolean {
  return row.forward === service.forward || row.forward === 'local';
}

function extraRows(service: VirtualServer, entry: TableService, { name, fleet }: Place): readonly Finding[] {
  const known = service.realServers.map((real) => endpoint(shortAddress(real.rip), rowPort(service, real)));
  const expected = `in ${serviceName(service)} the real servers of the inventory alone`;
  const { sorryServer } = service;
  return entry.rows
    .filter(({ address, port }) => !known.includes(endpoint(address, port)))
    .map(({ address, port }) => {
      const server = endpoint(address, port);
      if (sorryServer && shortAddress(sorryServer.address) === address && (sorryServer.port === port || service.fwmark)) {
        const found = `the sorry server ${server} serves ${serviceName(service)}: ${sorryReason(service, entry)}`;
        return fail(name, found, expected, 'see real_server_page for why they are out');
      }
      const config = fleet.vrrp ? ', and out of its keepalived.conf' : '';
      const remove = `ipvsadm -d ${ipvsadmPlace(service)} -r ${server} on ${name}${config}`;
      const found = `${server} is in ${serviceName(service)}, but not in the inventory`;
      return fail(name, found, expected, `${remove}; or list it under "backends:"`);
    });
}

function sorryReason({ quorum, realServers }: VirtualServer, { rows }: TableService): string {
  const left = realServers.filter((real) => rows.some(({ address, weight }) => address === shortAddress(real.rip) && weight > 0));
  return left.length === 0 ? 'no real server is left' : `${listed(left.map(({ host }) => host))} are fewer than the quorum of ${quorum}`;
}

function strangers({ name, table, fleet }: Place): readonly Finding[] {
  const known = new Set(fleet.services.map((service) => entryOf(service, table)));
  return table
    .filter((entry) => !known.has(entry))
    .map((entry) => {
      const { protocol, address, port, rows } = entry;
      const place = protocol === 'FWM' ? `mark ${address}` : `${protocol} ${endpoint(address, port)}`;
      const found = `${place} with ${count(rows.length, 'real server')} is in the table, but not in the inventory`;
      return fail(name, found, nothingElse, `ipvsadm -D ${placeOf(entry)} on ${name}, or add it under "services:"`);
    });
}

function placeOf({ protocol, address, port, rows }: TableService): string {
  if (protocol === 'FWM') return `-f ${address}${rows.some((row) => row.address.includes(':')) ? ' -6' : ''}`;
  const option = { TCP: '-t', UDP: '-u', SCTP: '--sctp-service' }[protocol] ?? '-t';
  return `${option} ${endpoint(address, port)}`;
}
