/** Whether the keepalived that runs is the one that is installed below a prefix, and how it is made to. */
import { type Handler, lines, type Sh, sh } from '../../../task.ts';
import { configPath, findProcess, validConfig } from './process.ts';

/** Sets `binary`: `none` (does not run), `current` or `old` (runs a file that is not the installed one any more). Wants `pid`. */
function binaryState(prefix: string): Sh {
  return sh`binary='none'
if [ -n "$pid" ]; then
  binary='old'
  installed=$(stat -L -c '%d:%i' -- ${`${prefix}/sbin/keepalived`} 2>/dev/null) || :
  [ -z "$installed" ] || [ "$(stat -L -c '%d:%i' -- "/proc/$pid/exe" 2>/dev/null)" != "$installed" ] || binary='current'
fi`;
}

/** Prints `binary STATE`. Read-only. */
export function binaryProbe(prefix: string): Sh {
  return lines(findProcess, binaryState(prefix), sh`printf 'binary %s\n' "$binary"`);
}

/** A restart gives the VIPs away, so it comes only for another binary; where keepalived does not run, starting it is the business of `service`. */
export function restartHandler(prefix: string): Handler {
  return {
    unless: lines(findProcess, binaryState(prefix), sh`[ "$binary" != old ]`),
    validate: validConfig(sh`${configPath}`),
    run: lines(
      sh`systemctl restart keepalived.service || exit 1
count=0
while :; do`,
      findProcess,
      binaryState(prefix),
      sh`[ "$binary" != current ] || break
  count=$((count + 1))
  [ "$count" -le 100 ] || { echo 'keepalived did not come up with the installed binary within 10 seconds' >&2; exit 1; }
  sleep 0.1 2>/dev/null || sleep 1
done`,
    ),
    risk: 'restart',
  };
}
