/**
 * Whether the keepalived that runs has read the configuration that is there, and how it is made to.
 *
 * keepalived 2.2.2 and later keep what they have read, without comments and indentation, in a file of memory that they hold open: that
 * is compared, so it does not matter who reloaded it, and when. Elsewhere a reload leaves no trace in the process, so the one that we
 * made is written down as the process id and the SHA-256 of what was loaded; for any other the file must be older than the process.
 */
import { type Handler, lines, type Sh, sh } from '../../../task.ts';

export const configPath = '/etc/keepalived/keepalived.conf';
/** Made by us before a reload, removed by keepalived (2.2.0 and later) when it has read the configuration. */
export const reloadFile = '/run/keepalived.reload';
export const pidFile = '/run/keepalived.pid';
const stampFile = '/run/lvsctl/keepalived.loaded';

/** Sets `pid` (empty: does not run). Reads only. */
export const findProcess: Sh = sh`pid='' comm=''
{ read -r pid <${pidFile}; } 2>/dev/null || :
case $pid in '' | *[!0-9]*) pid='' ;; *) { read -r comm <"/proc/$pid/comm"; } 2>/dev/null || : ;; esac
[ "$comm" = keepalived ] || pid=''`;

/**
 * Sets `kept`, the file of memory that holds what was read; empty where there is none, or where the configuration has what keepalived
 * writes there in other words: includes, conditions, definitions, comments behind words.
 */
const findKept: Sh = sh`bare() { sed -e 's/^[[:blank:]]*//' -e 's/[[:blank:]]*$//' -e '/^[!#]/d' -e '/^$/d'; }
kept=$(find "/proc/$pid/fd" -lname '/memfd:/keepalived/consolidated_configuration*' 2>/dev/null | head -n 1)
[ -z "$kept" ] || ! { bare <"$conf"; } 2>/dev/null | grep -q '^@\|[$~!#]\|^include' || kept=''`;

/** Sets `conf` and `state`: `none` (does not run), `loaded` or `pending`. Reads only. */
export const keepalivedState: Sh = lines(
  sh`conf=${configPath}`,
  findProcess,
  sh`state='none' loader='' loaded=''
if [ -n "$pid" ]; then
  state='pending'`,
  findKept,
  sh`  if [ -n "$kept" ]; then
    [ ! -r "$conf" ] || [ "$(bare <"$kept")" != "$(bare <"$conf")" ] || state='loaded'
  else
  { read -r loader loaded <${stampFile}; } 2>/dev/null || :
  if [ "$loader" = "$pid" ]; then
    sum=$(sha256sum <"$conf" 2>/dev/null) || :
    [ "\${sum%% *}" != "$loaded" ] || state='loaded'
  elif [ -z "$(find "$conf" -newer ${pidFile} 2>/dev/null)" ]; then state='loaded'; fi
  fi
fi`,
);

/** What says that a configuration is valid: `-t` alone takes a missing or empty one for right. The interfaces it names must exist. */
export function validConfig(path: Sh): Sh {
  return sh`[ -f ${path} ] && [ -s ${path} ] && keepalived -t -f ${path}`;
}

/** Makes the running keepalived read its configuration, waits until it has, and writes down what it loaded. Never restarts it: that drops every VIP. */
export const reloadKeepalived: Sh = lines(
  sh`conf=${configPath}`,
  findProcess,
  sh`[ -n "$pid" ] || { echo 'keepalived does not run: nothing to reload'; exit 0; }
sum=$(sha256sum <"$conf") || exit 1
mkdir -p /run/lvsctl && chmod 700 /run/lvsctl || exit 1
waits=''
! grep -q ${`^ *reload_file ${reloadFile}$`} "$conf" || { waits='yes'; echo lvsctl >${reloadFile}; }
if [ -d /run/systemd/system ]; then systemctl reload keepalived.service; else kill -HUP "$pid"; fi || { rm -f ${reloadFile}; exit 1; }
count=0
while [ -n "$waits" ] && [ -e ${reloadFile} ] && kill -0 "$pid" 2>/dev/null; do
  count=$((count + 1))
  [ "$count" -le 100 ] || { rm -f ${reloadFile}; echo 'keepalived did not read its configuration within 10 seconds' >&2; exit 1; }
  sleep 0.1 2>/dev/null || sleep 1
done
[ -n "$waits" ] || sleep 1
kill -0 "$pid" 2>/dev/null || { rm -f ${reloadFile}; echo 'keepalived ended when it was told to reload; see its log' >&2; exit 1; }
printf '%s %s\n' "$pid" "\${sum%% *}" >${stampFile}`,
);

/**
 * Notify `keepalived.reload` after changing the configuration; `validate` says whether it is right. Where keepalived does not run, starting
 * it is the business of `service`.
 */
export function keepalivedHandlers(validate: Sh): Readonly<Record<string, Handler>> {
  return {
    'keepalived.reload': { unless: lines(keepalivedState, sh`[ "$state" != pending ]`), validate, run: reloadKeepalived },
  };
}
