/**
 * The running Apache: whether it has read the configuration that is there, and how it is made to. It writes its pid file anew each time
 * that it has read its configuration, whoever told it to; what is newer than that file has not been read.
 */
import { type Handler, lines, type Sh, sh } from '../../../task.ts';

/** Sets `daemon`, after which Debian and the Red Hat family name its folder, its unit and its pid file. */
const family: Sh = sh`daemon='httpd'
[ ! -d /etc/apache2 ] || daemon='apache2'`;

/** Sets `pidfile` and `pid` (empty: does not run). Reads only. */
const master: Sh = lines(
  family,
  sh`pidfile=/run/$daemon/$daemon.pid pid='' comm=''
{ read -r pid <"$pidfile"; } 2>/dev/null || :
case $pid in '' | *[!0-9]*) pid='' ;; *) { read -r comm <"/proc/$pid/comm"; } 2>/dev/null || : ;; esac
[ "$comm" = "$daemon" ] || pid=''`,
);

/** Sets `config`: `none` (does not run), `loaded` or `pending`. A site that was switched off has changed only its folder. */
const configState: Sh = lines(
  master,
  sh`config='none'
if [ -n "$pid" ]; then
  config='loaded'
  [ -z "$(find -H "/etc/$daemon" '(' -newer "$pidfile" -o -cnewer "$pidfile" ')' 2>/dev/null || find -H "/etc/$daemon" -newer "$pidfile" 2>/dev/null)" ] || config='pending'
fi`,
);

/** Prints `config STATE`. Read-only. */
export const probeApache: Sh = lines(configState, sh`printf 'config %s\n' "$config"`);

/** Exits 0 unless the running Apache has yet to read its configuration. */
export const apacheIsLoaded: Sh = lines(configState, sh`[ "$config" != pending ]`);

/**
 * Exits 0 when the whole configuration is valid, with `file` beside it when given, and nobody else has the ports: an Apache that is
 * told to reload and does not get one ends.
 */
export function validApache(ports: readonly number[], file?: Sh): Sh {
  const more = file ? sh`-c "Include "${file}` : sh``;
  return lines(
    family,
    sh`control=$daemon
[ "$daemon" != apache2 ] || control='apache2ctl'
command -v "$control" >/dev/null || { printf '%s\n' "$control is not installed here: install apache2 (Debian) or httpd (Red Hat) first" >&2; exit 1; }
said=$("$control" -t ${more} 2>&1) || { printf '%s\n' "$said" >&2; exit 1; }
set -- ${ports}
for port do
  others=$(ss -Hltnp "sport = :$port" 2>/dev/null | grep -vF "$daemon" | head -n 1)
  [ -z "$others" ] || { printf '%s\n' "port $port is taken: $others" >&2; exit 1; }
done`,
  );
}

/** Has the running Apache read its configuration, without breaking off a request, and waits until it has. */
export const reloadApache: Sh = lines(
  master,
  sh`[ -n "$pid" ] || { echo 'Apache does not run: nothing to reload'; exit 0; }
mkdir -p /run/lvsctl && chmod 700 /run/lvsctl && : >/run/lvsctl/apache.asked || exit 1
sleep 0.1 2>/dev/null || sleep 1
if systemctl is-active --quiet "$daemon.service" 2>/dev/null; then systemctl reload "$daemon.service"; else kill -USR1 "$pid"; fi || exit 1
count=0
until [ -n "$(find "$pidfile" -newer /run/lvsctl/apache.asked 2>/dev/null)" ]; do
  count=$((count + 1))
  [ "$count" -le 100 ] && kill -0 "$pid" 2>/dev/null || { printf '%s\n' "Apache did not take its new configuration within 10 seconds; see journalctl -u $daemon" >&2; exit 1; }
  sleep 0.1 2>/dev/null || sleep 1
done
kill -0 "$pid" 2>/dev/null || { printf '%s\n' "Apache ended when it was told to reload; see journalctl -u $daemon" >&2; exit 1; }`,
);

/** Where Apache does not run, starting it is the business of `service`. */
export function apacheHandlers(ports: readonly number[]): Readonly<Record<string, Handler>> {
  return { 'apache.reload': { unless: apacheIsLoaded, validate: validApache(ports), run: reloadApache } };
}
