/** A service that must run and come back after a reboot. */

import { type Finding, type Output, type Sh, sh } from '../../task.ts';
import { parseUnit, type SeenUnit, unitProbe } from '../../tasks/support/systemd/unit.ts';
import { fail, notRun, pass } from './finding.ts';

/** The first of the units that is there, or the first; a name differs from distribution to distribution. Read it with `anyUnit`. */
export function anyUnitProbe(units: readonly string[]): Sh {
  const [first = '', ...others] = units;
  if (others.length === 0) return unitProbe(`${first}.service`);
  return sh`unit=''
for u in ${units}; do [ -n "$unit" ] || ! systemctl cat -- "$u.service" >/dev/null 2>&1 || unit=$u; done
[ -n "$unit" ] || unit=${first}
printf 'chosen %s\n' "$unit"
systemctl show -p LoadState -p ActiveState -p UnitFileState -p NeedDaemonReload -- "$unit.service" 2>/dev/null | sed 's/^/unit /'`;
}

/** `unit` is empty where none was asked for. */
export function anyUnit(output: Pick<Output, 'stdout'>, units: readonly string[]): { readonly unit: string; readonly seen: SeenUnit } {
  const chosen = /^chosen (\S+)$/m.exec(output.stdout)?.[1];
  const unit = units.find((name) => name === chosen) ?? units[0] ?? '';
  return { unit, seen: parseUnit(output) };
}

/** Two findings: runs now, starts at boot. `name` is the unit without its ending. */
export function judgeUnit(host: string, name: string, unit: SeenUnit): readonly Finding[] {
  const active = `${name} is active`;
  const enabled = `${name} is enabled`;
  if (unit.load === '') {
    const found = 'systemd does not answer here';
    return [active, enabled].map((expected) => notRun(host, found, expected, `see by hand that ${name} runs and starts at boot`));
  }
  if (unit.load !== 'loaded') {
    const found = unit.load === 'not-found' ? `${name} is not a service here` : `the unit ${name} is ${unit.load}`;
    return [
      fail(
        host,
        found,
        `${active} and enabled`,
        unit.load === 'masked' ? `systemctl unmask ${name} on ${host}` : `install ${name} on ${host}: lvsctl deploy`,
      ),
    ];
  }
  return [judgeActive(host, name, unit.active, active), judgeEnabled(host, name, unit.file, enabled)];
}

function judgeActive(host: string, name: string, state: string, expected: string): Finding {
  const found = `${name} is ${state === '' ? 'in a state that systemd does not name' : state}`;
  if (state === 'active' || state === 'reloading') return pass(host, found, expected);
  return fail(host, found, expected, `systemctl start ${name} on ${host}; if that fails: journalctl -u ${name} -n 20`);
}

/** A generated unit belongs to an init script, which has its own links. `enabled-runtime` is gone after a reboot. */
function judgeEnabled(host: string, name: string, state: string, expected: string): Finding {
  const found = `${name} is ${state === '' ? 'neither enabled nor disabled' : state}`;
  if (['enabled', 'generated', 'alias'].includes(state)) return pass(host, found, expected);
  return fail(host, found, expected, `systemctl enable ${name} on ${host}`);
}
