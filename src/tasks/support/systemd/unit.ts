/** How tasks ask systemd about a unit and wait for it. */
import { z } from 'zod';
import { type Facts, lines, type Output, refuse, type Sh, sh } from '../../../task.ts';

/** A unit's name as systemd takes it; without an ending it is a service. */
export const unitName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9:_.@-]*$/, 'the name of a unit, such as nginx or nginx.service')
  .max(200);

const endings = /\.(service|socket|target|timer|mount|automount|path|slice|scope|swap|device)$/;

/** `nginx` → `nginx.service`; a name with an ending stays. */
export function unitOf(name: string): string {
  return endings.test(name) ? name : `${name}.service`;
}

/** Properties of one unit, as `systemctl show` says them; what it did not say is empty. */
export interface SeenUnit {
  /** loaded, not-found, masked, bad-setting, error. */
  readonly load: string;
  /** active, reloading, activating, deactivating, inactive, failed. */
  readonly active: string;
  /** enabled, enabled-runtime, disabled, static, masked, generated, indirect, alias, linked; empty when there is no file. */
  readonly file: string;
  /** True when the file on disk is newer than what systemd runs. */
  readonly stale: boolean;
}

/** One process. Without a running systemd it prints nothing of use. */
export function unitProbe(unit: string): Sh {
  return sh`systemctl show -p LoadState -p ActiveState -p UnitFileState -p NeedDaemonReload -- ${unit} 2>/dev/null | sed 's/^/unit /'`;
}

/** Reads the lines of `unitProbe` wherever they are in the output. */
export function parseUnit({ stdout }: Pick<Output, 'stdout'>): SeenUnit {
  const field = (name: string): string => new RegExp(`^unit ${name}=([a-z-]*)$`, 'm').exec(stdout)?.[1] ?? '';
  return {
    load: field('LoadState'),
    active: field('ActiveState'),
    file: field('UnitFileState'),
    stale: field('NeedDaemonReload') === 'yes',
  };
}

/** Throws `refused` on a host that systemd does not run. */
export function needSystemd(facts: Facts, what: string): void {
  if (facts.init !== 'systemd') throw refuse(`${what} needs systemd, which does not run this host`, 'leave the step out there with "when"');
}

/**
 * Does `verb`, waits until the unit is active, at most half a minute, and looks once more a second later: many a wrong configuration
 * ends a service just after its start. A failing one says what its log said.
 */
export function bringUp(verb: 'start' | 'restart' | 'reload', unit: string): Sh {
  return lines(
    sh`unit=${unit}
report() { systemctl --no-pager --lines=20 status -- "$unit" >&2; exit 1; }`,
    verb !== 'reload' && sh`systemctl reset-failed -- "$unit" 2>/dev/null`,
    sh`systemctl ${verb} -- "$unit" || report
tries=0
until systemctl is-active --quiet -- "$unit"; do
  tries=$((tries + 1))
  [ "$tries" -lt 30 ] && ! systemctl is-failed --quiet -- "$unit" || report
  sleep 1
done
sleep 1
systemctl is-active --quiet -- "$unit" || report`,
  );
}
