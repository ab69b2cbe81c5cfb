/**
 * The running nginx: whether it runs the binary that is installed and has read the configuration that is there, and how it is made to.
 *
 * A configuration counts as read when it is older than the process (its pid file), than the last reload of ours (a stamp), or than the
 * youngest worker by two seconds, which is as exact as the kernel tells the start of a process. A file's age is that of its last change
 * of any kind: an old copy that was put back has its old time of writing. Certificates and keys that the configuration names are part of
 * it, wherever they lie.
 */
import { type Change, type Handler, lines, type Sh, sh } from '../../../task.ts';
import type { NginxLayout } from './layout.ts';

const stampFile = '/run/lvsctl/nginx.loaded';

/** Sets `pid`, the master's (empty: does not run). Reads only. */
function master({ pidFile }: NginxLayout): Sh {
  return sh`pid='' comm=''
{ read -r pid <${pidFile}; } 2>/dev/null || :
case $pid in '' | *[!0-9]*) pid='' ;; *) { read -r comm <"/proc/$pid/comm"; } 2>/dev/null || : ;; esac
[ "$comm" = nginx ] || pid=''`;
}

/** Sets `binary`: `none` (does not run), `current` or `old` (runs a file that is not the installed one any more). Wants `master`. */
const binaryState = ({ binary }: NginxLayout): Sh => sh`binary='none'
if [ -n "$pid" ]; then
  binary='old'
  file=$(stat -L -c '%d:%i' -- ${binary} 2>/dev/null) || :
  [ -z "$file" ] || [ "$(stat -L -c '%d:%i' -- "/proc/$pid/exe" 2>/dev/null)" != "$file" ] || binary='current'
fi`;

/** Sets `workers`, the process ids of the master's children, and `youngest`, the start of the last of them in seconds since 1970. */
const findWorkers: Sh = sh`workers=' ' youngest=0 boot=0
while read -r key value; do [ "$key" != btime ] || boot=$value; done </proc/stat
for stat in /proc/[0-9]*/stat; do
  { read -r child name _ parent _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ ticks _ <"$stat"; } 2>/dev/null || continue
  [ "$name $parent" = "(nginx) $pid" ] || continue
  workers="$workers$child " born=$((boot + ticks / 100))
  [ "$born" -le "$youngest" ] || youngest=$born
done`;

/** Makes the configuration's folder and the certificates that it names the positional parameters. */
const findFiles = ({ folder }: NginxLayout): Sh => sh`set -- ${folder}
while read -r word path; do
  path=\${path%%;*}
  case $word in ssl_certificate | ssl_certificate_key) [ ! -f "$path" ] || set -- "$@" "$path" ;; esac
done <<EOF
$(grep -rhs '^[[:blank:]]*ssl_certificate' ${folder})
EOF`;

/** Sets `config`: `none` (does not run), `loaded` or `pending`. Wants `master`. */
const configState = (layout: NginxLayout): Sh =>
  lines(
    sh`config='none' loader=''
newer_than() {
  mark=$1; shift
  [ -n "$(find -H "$@" -type f '(' -newer "$mark" -o -cnewer "$mark" ')' 2>/dev/null || find -H "$@" -type f -newer "$mark" 2>/dev/null)" ]
}
if [ -n "$pid" ]; then
  config='pending'
  { read -r loader <${stampFile}; } 2>/dev/null || :`,
    findFiles(layout),
    sh`  if ! newer_than ${layout.pidFile} "$@"; then config='loaded'
  elif [ "$loader" = "$pid" ] && ! newer_than ${stampFile} "$@"; then config='loaded'
  else`,
    findWorkers,
    sh`changed=$(find -H "$@" -type f -exec stat -L -c %Z -- {} + 2>/dev/null | sort -n | tail -n 1) || :
    [ "$((\${changed:-0} + 2))" -gt "$youngest" ] || config='loaded'
  fi
fi`,
  );

/** Prints `binary STATE`. Read-only. */
export function probeBinary(layout: NginxLayout): Sh {
  return lines(master(layout), binaryState(layout), sh`printf 'binary %s\n' "$binary"`);
}

/** Prints `config STATE`. Read-only. */
export function probeConfig(layout: NginxLayout): Sh {
  return lines(master(layout), configState(layout), sh`printf 'config %s\n' "$config"`);
}

/** Exits 0 unless the running nginx has yet to read its configuration. */
export function configIsLoaded(layout: NginxLayout): Sh {
  return lines(master(layout), configState(layout), sh`[ "$config" != pending ]`);
}

/** Exits 0 unless the running nginx is not the installed one. */
export function binaryIsCurrent(layout: NginxLayout): Sh {
  return lines(master(layout), binaryState(layout), sh`[ "$binary" != old ]`);
}

/**
 * Exits 0 when the whole configuration is valid; `file` instead of its nginx.conf when given. What nginx says is said on, with what helps.
 * It makes logs that are not there yet, with the mode that they always have.
 */
export function validNginx({ binary }: NginxLayout, file?: Sh): Sh {
  return sh`said=$(umask 022; ${binary} -t -q ${file ? sh`-c ${file}` : sh``} 2>&1) || {
  printf '%s\n' "$said" >&2
  case $said in
    *'unknown directive "stream"'*) echo 'this nginx has no stream module: add --with-stream to its configure, or install the package libnginx-mod-stream (Debian) or nginx-mod-stream (Red Hat)' >&2 ;;
    *'requires ngx_http_ssl_module'*) echo 'this nginx has no TLS: add --with-http_ssl_module to its configure' >&2 ;;
    *'bind() to '*'Cannot assign requested address'*) echo 'the host does not hold that address: listen without one, add the address first, or set net.ipv4.ip_nonlocal_bind = 1' >&2 ;;
  esac
  false
}`;
}

/** Makes the running nginx read its configuration and waits for the new workers: one that cannot (a port in use) keeps its old ones. */
function reloadNginx(layout: NginxLayout): Sh {
  return lines(
    master(layout),
    sh`[ -n "$pid" ] || { echo 'nginx does not run: nothing to reload'; exit 0; }`,
    findWorkers,
    sh`before=$workers
mkdir -p /run/lvsctl && chmod 700 /run/lvsctl && printf '%s\n' "$pid" >${`${stampFile}.new`} || exit 1
if systemctl is-active --quiet nginx.service 2>/dev/null; then systemctl reload nginx.service; else kill -HUP "$pid"; fi || exit 1
count=0 fresh=''
while [ -z "$fresh" ]; do`,
    findWorkers,
    sh`for worker in $workers; do
    case $before in *" $worker "*) ;; *) fresh='yes' ;; esac
  done
  [ -z "$fresh" ] || break
  count=$((count + 1))
  [ "$count" -le 100 ] || { echo 'nginx did not take its new configuration within 10 seconds; its error log says:' >&2; tail -n 5 ${`${layout.logs}/error.log`} >&2; exit 1; }
  sleep 0.1 2>/dev/null || sleep 1
done
mv -f ${`${stampFile}.new`} ${stampFile}`,
  );
}

/** Restarts nginx and waits until the installed binary runs. */
export function restartNginx(layout: NginxLayout): Sh {
  return lines(
    sh`systemctl restart nginx.service || exit 1
count=0
while :; do`,
    master(layout),
    binaryState(layout),
    sh`[ "$binary" != current ] || break
  count=$((count + 1))
  [ "$count" -le 100 ] || { echo 'nginx did not come up with the installed binary within 10 seconds' >&2; exit 1; }
  sleep 0.1 2>/dev/null || sleep 1
done`,
  );
}

/** `none`: does not run. Reads the line of `probeConfig` wherever it is. */
export type ConfigState = 'none' | 'loaded' | 'pending';

export function configStateOf(said: string): ConfigState {
  const state = /^config (loaded|pending)$/m.exec(said)?.[1];
  return state === 'loaded' || state === 'pending' ? state : 'none';
}

/** For files that are right and were not read; `path` is the one that the diff names. */
export function reloadChange(layout: NginxLayout, path: string): Change {
  return {
    id: 'live:reload',
    title: 'reload nginx: it runs with an older configuration',
    was: 'running with an older configuration\n',
    will: `running with ${path}\n`,
    unless: configIsLoaded(layout),
    validate: validNginx(layout),
    run: reloadNginx(layout),
  };
}

/** Where nginx does not run, starting it is the business of `service`: then neither does anything. */
export function nginxHandlers(layout: NginxLayout): { readonly 'nginx.restart': Handler; readonly 'nginx.reload': Handler } {
  return {
    'nginx.restart': { unless: binaryIsCurrent(layout), validate: validNginx(layout), run: restartNginx(layout), risk: 'restart' },
    'nginx.reload': { unless: configIsLoaded(layout), validate: validNginx(layout), run: reloadNginx(layout) },
  };
}
