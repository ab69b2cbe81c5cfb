/** A director without keepalived: table, VIPs and health checks come back after a reboot, are what the inventory says, and nobody else is at work on them. */
import { z } from 'zod';
import type { Fleet, VirtualAddress } from '../model.ts';
import { defineCheck, type Finding, type Look, lines, sh } from '../task.ts';
import { parseInterfaceAddresses } from '../tasks/support/addresses/interface-address.ts';
import { shortAddress } from '../tasks/support/ipvs/kernel-table.ts';
import { autoPath, rulesPath } from '../tasks/support/ipvs/rule-files.ts';
import { nameOf, parseRules, type RuleService, samePlace, wantedRules } from '../tasks/support/ipvs/rules.ts';
import { checks } from '../tasks/support/ipvs/view.ts';
import { isRunning } from '../tasks/support/systemd/own-program.ts';
import { parseUnit, type SeenUnit } from '../tasks/support/systemd/unit.ts';
import { fail, listed, nobodyLooked, notRun, pass, unreadable } from './support/finding.ts';
import { heard, type Said, telling } from './support/said.ts';
import { judgeUnit } from './support/unit.ts';

const own = ['lvsctl-ipvs', 'lvsctl-virtual-address', 'lvsctl-ipvs-check'];
const others = ['keepalived', 'ldirectord', 'ipvsadm'];
const units = [...own, ...others];

export default defineCheck({
  summary:
    'A director without keepalived keeps table, VIPs and health checks over a reboot, as the inventory says, and nobody else fills the table.',
  params: z.strictObject({}),
  from: ['director'],
  probe: () =>
    telling(
      sh`systemctl show -p LoadState -p ActiveState -p UnitFileState -p NeedDaemonReload -- ${units.map((unit) => `${unit}.service`)} 2>/dev/null | sed 's/^/unit /'
[ ! -r ${rulesPath} ] || { printf 'rules\n'; sed 's/^/rule /' ${rulesPath}; }
ip -o addr show | sed 's/^/address /'
! grep -Eqs '^[[:space:]]*AUTO="?true' ${autoPath} || printf 'auto\n'`,
      lines(sh`! { ${isRunning(checks.name)}; } || printf 'checks running\n'`),
    ),
  expect: (looks, _, { fleet }) => {
    const expected = 'table, VIPs and health checks as in the inventory, now and after a reboot';
    return looks.length === 0 ? [nobodyLooked('director', fleet, expected)] : looks.flatMap((look) => judgeHost(look, fleet, expected));
  },
  example: {},
});

function judgeHost(look: Look, fleet: Fleet, expected: string): readonly Finding[] {
  const said = heard(look);
  if (!said) return [unreadable(look, expected)];
  const { name } = look.host;
  const seen = seenUnits(said);
  const [table, address, checker] = seen as readonly [SeenUnit, SeenUnit, SeenUnit];
  return [
    ...judgeUnit(name, 'lvsctl-ipvs', table),
    judgeRules(name, said, fleet),
    ...judgeUnit(name, 'lvsctl-virtual-address', address),
    ...fleet.virtualAddresses.map((each) => judgeAddress(name, each, said)),
    ...judgeChecks(name, checker, said, fleet),
    ...judgeOthers(name, seen.slice(own.length), said),
  ];
}

/** One per unit; without an answer all fields are empty. */
function seenUnits(said: Said): readonly SeenUnit[] {
  const blocks = said.all('unit').join('\n').split('\n\n');
  return units.map((_, index) => parseUnit({ stdout: (blocks[index] ?? '').replace(/^/gm, 'unit ') }));
}

function judgeRules(name: string, said: Said, fleet: Fleet): Finding {
  const expected = `${rulesPath} has the virtual servers of the inventory`;
  if (said.first('rules') === undefined)
    return fail(name, `there is no ${rulesPath}: after a reboot the table is empty`, expected, 'lvsctl deploy writes it');
  const kept = parseRules(said.all('rule'));
  const wanted = wantedRules(fleet.services);
  const wrong = [
    ...wanted.filter((service) => !kept.some((each) => textOf(each) === textOf(service))),
    ...kept.filter((service) => !wanted.some(({ place }) => samePlace(place, service.place))),
  ].map(({ place }) => nameOf(place));
  if (wrong.length === 0) return pass(name, expected, expected);
  return fail(name, `${rulesPath} says otherwise of ${listed(wrong)}`, expected, 'lvsctl deploy writes it anew');
}

/** The order of real servers means nothing. */
function textOf({ place, options, rows }: RuleService): string {
  return JSON.stringify([place, options, rows.map((row) => `${row.server} ${row.options.join(' ')}`).sort()]);
}

function judgeAddress(name: string, { address, prefix, interface: device }: VirtualAddress, said: Said): Finding {
  const expected = `${address}/${prefix} on ${device}`;
  const seen = parseInterfaceAddresses(said.all('address')).filter((each) => each.address === shortAddress(address));
  const there = seen.map((each) => `${each.address}/${each.prefix} on ${each.device}`);
  if (there.length === 1 && there[0] === `${shortAddress(address)}/${prefix} on ${device}`) return pass(name, expected, expected);
  const found = there.length === 0 ? `${address} is nowhere` : `${listed(there)}`;
  return fail(name, found, expected, `lvsctl deploy; by hand: ip addr replace ${address}/${prefix} dev ${device} on ${name}`);
}

function judgeChecks(name: string, unit: SeenUnit, said: Said, fleet: Fleet): readonly Finding[] {
  if (fleet.static?.checkInterval === undefined) {
    if (unit.active !== 'active') return [];
    const expected = 'nothing checks real servers, as the inventory says';
    return [
      fail(name, 'lvsctl-ipvs-check runs', expected, `systemctl disable --now lvsctl-ipvs-check on ${name}, or say static.check_interval`),
    ];
  }
  const expected = 'the health checks say which real servers are out';
  const tells = said.first('checks') === 'running';
  const fix = `journalctl -u lvsctl-ipvs-check on ${name} says why; lvsctl deploy starts it`;
  return [
    ...judgeUnit(name, 'lvsctl-ipvs-check', unit),
    tells ? pass(name, expected, expected) : fail(name, 'the health checks say nothing of real servers', expected, fix),
  ];
}

function judgeOthers(name: string, seen: readonly SeenUnit[], said: Said): readonly Finding[] {
  const expected = `nobody else fills the table: ${others.join(', ')} neither run nor start with the host`;
  if (seen.some(({ load }) => load === ''))
    return [notRun(name, 'systemd does not answer here', expected, `see by hand that none of ${others.join(', ')} runs`)];
  const [keepalived, ldirectord, script] = seen.map(({ active, file }) => ({ active: active === 'active', enabled: file === 'enabled' }));
  const managers = [
    ...(keepalived?.active || keepalived?.enabled ? ['keepalived'] : []),
    ...(ldirectord?.active || ldirectord?.enabled ? ['ldirectord'] : []),
  ];
  const findings = managers.map((manager) =>
    fail(name, `${manager} runs or starts with the host`, expected, `systemctl disable --now ${manager} on ${name}`),
  );
  // Debian's init script counts as active without doing anything.
  const empties = [
    ...(script?.enabled ? ['ipvsadm.service is enabled'] : []),
    ...(said.first('auto') === undefined ? [] : [`${autoPath} says AUTO="true"`]),
  ];
  const emptied = empties.map((found) => fail(name, `${found}: it empties the table at boot`, expected, 'lvsctl deploy turns it off'));
  const all = [...findings, ...emptied];
  return all.length > 0 ? all : [pass(name, expected, expected)];
}
