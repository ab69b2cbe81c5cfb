/** The virtual servers in every director's kernel are those of the inventory, no more and no less. */
import { z } from 'zod';
import type { Fleet, RealServer, VirtualServer } from '../model.ts';
import { defineCheck, type Finding, type Look, lines, type Sh, sh } from '../task.ts';
import { hexAddress, parseTable, shortAddress, type TableRow, type TableService } from '../tasks/support/ip-vs.ts';
import { count, excerpt, fail, nobodyLooked, pass, unreadable } from './support/finding.ts';
import { heard, type Said, telling } from './support/said.ts';
import { endpoint, serviceName } from './support/topology.ts';

export default defineCheck({
  summary:
    "Each director's IPVS table equals the inventory: virtual servers, scheduler, persistence, forwarding, real servers and weights.",
  params: z.strictObject({}),
  from: ['director'],
  probe: (_, __, fleet) => telling(tableProbe, logProbe(fleet)),
  expect: (looks, _, { fleet }) => {
    const expected = `${count(fleet.services.length, 'virtual server')} as in the inventory`;
    return looks.length === 0 ? [nobodyLooked('director', fleet, expected)] : looks.flatMap((look) => judgeHost(look, fleet, expected));
  },
  example: {},
});

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
function logProbe({ services }: Fleet): Sh {
  const rips = services.flatMap(({ realServers }) => realServers).filter(({ rip }) => !rip.includes(':'));
  if (rips.length === 0) return lines();
  const wanted = rips.map(({ rip, port }) => `-> ${hexAddress(rip)}:${port.toString(16).padStart(4, '0').toUpperCase()} `);
  return sh`missing=no
for row in ${wanted}; do case $table in *"$row"*) ;; *) missing=yes ;; esac; done
[ "$missing" = no ] || [ -z "$table" ] || journalctl -u keepalived -n 50 -o cat --no-pager 2>/dev/null | while IFS= read -r line; do printf 'log %s\n' "$line"; done`;
}

function judgeHost(look: Look, fleet: Fleet, expected: string): readonly Finding[] {
  const said = heard(look);
  if (!said) return [unreadable(look, expected)];
  const name = look.host.name;
  if (said.first('absent') !== undefined) {
    const fix = `modprobe ip_vs on ${name}, and ip_vs in /etc/modules-load.d; where that fails its kernel was built without IPVS`;
    return [fail(name, 'no IPVS in the running kernel: there is no /proc/net/ip_vs', expected, fix)];
  }
  const table = parseTable(said.all('table'));
  if (!table) return [unreadable(look, expected)];
  const wanted = fleet.services.flatMap((service) => judgeService(name, service, table, said));
  return [...wanted, ...strangers(name, table, fleet)];
}

function entryOf(service: VirtualServer, table: readonly TableService[]): TableService | undefined {
  return table.find((entry) => entry.protocol === 'TCP' && entry.address === shortAddress(service.vip) && entry.port === service.port);
}

function judgeService(name: string, service: VirtualServer, table: readonly TableService[], said: Said): readonly Finding[] {
  const entry = entryOf(service, table);
  const expected = `${serviceName(service)} ${service.scheduler}${service.persistence ? `, persistent ${service.persistence} s` : ', not persistent'}`;
  if (!entry) {
    const fix = `systemctl start keepalived on ${name}; if it runs, its keepalived.conf lacks virtual_server ${service.vip} ${service.port}`;
    return [fail(name, `${serviceName(service)} is not in the table`, expected, fix)];
  }
  const rows = service.realServers.map((real) => judgeReal(name, service, real, entry, said));
  return [judgeEntry(name, service, entry, said, expected), ...rows, ...extraRows(name, service, entry)];
}

function judgeEntry(name: string, service: VirtualServer, entry: TableService, said: Said, expected: string): Finding {
  const held = entry.persistence === undefined ? ', not persistent' : `, persistent ${persistence(entry.persistence, service, said)} s`;
  const found = `${serviceName(service)} ${entry.scheduler}${held}`;
  const kept = `lb_algo ${service.scheduler}${service.persistence ? ` and persistence_timeout ${service.persistence}` : ''}`;
  const now = `ipvsadm -E -t ${serviceName(service)} -s ${service.scheduler}${service.persistence ? ` -p ${service.persistence}` : ''} on ${name}`;
  const fix = `${now}, and ${kept} in its keepalived.conf: a reload does not undo what was done by hand`;
  return found === expected ? pass(name, found, expected) : fail(name, found, expected, fix);
}

/** Seconds. Where the kernel's tick is not known, the usual ones are tried against what is wanted. */
function persistence(jiffies: number, { persistence: wanted = 0 }: VirtualServer, said: Said): number {
  const usual = [100, 250, 300, 1000];
  const told = Number(said.first('hz'));
  if (told >= 10 && told <= 10_000) return jiffies / told;
  return usual.some((hz) => jiffies === wanted * hz) ? wanted : jiffies / 250;
}

const flags = { dr: '-g', nat: '-m', tun: '-i' } as const;

function judgeReal(name: string, service: VirtualServer, real: RealServer, entry: TableService, said: Said): Finding {
  const row = entry.rows.find(({ address, port }) => address === shortAddress(real.rip) && port === real.port);
  const server = endpoint(real.rip, real.port);
  const place = `${real.host} (${server}) in ${serviceName(service)}`;
  const expected = `${place}: ${service.forward}, weight ${real.weight}`;
  const command = `-t ${serviceName(service)} -r ${server} ${flags[service.forward]} -w ${real.weight} on ${name}`;
  if (!row) {
    const log = said.all('log').findLast((line) => line.includes(`[${real.rip}]:`));
    const found = `${place} is missing${log === undefined ? '' : `; keepalived said "${excerpt(log, 120)}"`}`;
    return fail(
      name,
      found,
      expected,
      `its health check fails: see real_server_page and backend_service; if it answers, the row was taken out by hand: ipvsadm -a ${command}`,
    );
  }
  const found = `${place}: ${row.forward}, weight ${row.weight}`;
  if (!sameForward(row, service))
    return fail(
      name,
      found,
      expected,
      `lb_kind ${service.forward.toUpperCase()} in keepalived.conf and a reload, or ipvsadm -e ${command}`,
    );
  if (row.weight === real.weight) return pass(name, found, expected);
  const drained = 'it was drained, or its health check fails under inhibit_on_failure: see real_server_page';
  return fail(name, found, expected, `${row.weight === 0 ? `${drained}; otherwise ` : ''}ipvsadm -e ${command}`);
}

/** The kernel shows a real server that is the director itself as local, however it was added. */
function sameForward(row: TableRow, service: VirtualServer): boolean {
  return row.forward === service.forward || row.forward === 'local';
}

function extraRows(name: string, service: VirtualServer, entry: TableService): readonly Finding[] {
  const extra = entry.rows.filter(
    ({ address, port }) => !service.realServers.some((real) => shortAddress(real.rip) === address && real.port === port),
  );
  const expected = `in ${serviceName(service)} the real servers of the inventory alone`;
  return extra.map(({ address, port }) => {
    const server = endpoint(address, port);
    const { sorryServer } = service;
    if (sorryServer?.address === address && sorryServer.port === port) {
      return fail(
        name,
        `the sorry server ${server} serves ${serviceName(service)}: no real server is left`,
        expected,
        'see real_server_page for why they are out',
      );
    }
    const remove = `ipvsadm -d -t ${serviceName(service)} -r ${server} on ${name}, and out of its keepalived.conf`;
    return fail(
      name,
      `${server} is in ${serviceName(service)}, but not in the inventory`,
      expected,
      `${remove}; or list it under "backends:"`,
    );
  });
}

function strangers(name: string, table: readonly TableService[], fleet: Fleet): readonly Finding[] {
  const known = new Set(fleet.services.map((service) => entryOf(service, table)));
  const expected = 'no virtual server that is not in the inventory';
  return table
    .filter((entry) => !known.has(entry))
    .map(({ protocol, address, port, rows }) => {
      const place = protocol === 'FWM' ? `mark ${address}` : `${protocol} ${endpoint(address, port)}`;
      const option = { TCP: '-t', UDP: '-u', SCTP: '--sctp-service' }[protocol];
      const remove = option === undefined ? `ipvsadm -D -f ${address}` : `ipvsadm -D ${option} ${endpoint(address, port)}`;
      return fail(
        name,
        `${place} with ${count(rows.length, 'real server')} is in the table, but not in the inventory`,
        expected,
        `${remove} on ${name}, or add it under "services:"`,
      );
    });
}
