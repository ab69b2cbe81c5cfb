/**
 * Scripts that keepalived runs. They lie where SELinux's policies give them a domain in which they may do anything
 * (keepalived_unconfined_script_exec_t), and where nobody but root can write: otherwise keepalived takes them out in silence.
 */
import { lines, type Sh, sh } from '../../../task.ts';
import { loadTemplate, renderTemplate } from '../../../templates/render.ts';
import type { KeepalivedWant } from './params.ts';

const scriptFolder = '/usr/libexec/keepalived';

/** Ours: asks whether another host has the VIP, when this director becomes master. */
export const alarmPath = `${scriptFolder}/lvsctl-alarm`;

/** Where a script of the control machine lies on the directors. */
export function scriptPath(file: string): string {
  return `${scriptFolder}/${file.slice(file.lastIndexOf('/') + 1)}`;
}

/** Paths on the directors of all scripts that an earlier step has put there. */
export function shippedScripts({
  vrrp: { scripts, notify, alarm },
  services,
}: Pick<KeepalivedWant, 'vrrp' | 'services'>): readonly string[] {
  const files = [...services.map(({ check }) => check.script), ...scripts.map(({ file }) => file), notify, alarm];
  return [...new Set(files.filter((file) => file !== undefined).map(scriptPath))];
}

/** Text of `alarmPath`; `alarm` is the user's script. */
export function alarmScript(alarm: string): string {
  return renderTemplate(loadTemplate('keepalived-alarm.ejs'), { alarm: scriptPath(alarm) });
}

/** Exits 1 and says which script is missing: `keepalived -t` takes a check without its script for right, and leaves the check out. */
export function scriptsAreThere(paths: readonly string[]): Sh {
  if (paths.length === 0) return sh`:`;
  return lines(
    sh`for script in ${paths}; do
  [ -f "$script" ] && [ -x "$script" ] || { printf '%s\n' "$script is missing, or cannot be run" >&2; exit 1; }
done`,
  );
}
