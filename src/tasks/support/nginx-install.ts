/** How a built nginx gets to its place: new files beside the old ones, each exchanged by a rename, the running nginx undisturbed. */
import { type Facts, lines, type Sh, sh } from '../../task.ts';
import { packageIsThere } from './package-is-there.ts';
import { installPackages } from './packages.ts';

interface NginxInstall {
  readonly prefix: string;
  readonly key: string;
  readonly manager: Facts['packageManager'];
}

/** Says which build is installed: `key KEY` and `sha256 SUM` of the binary. */
export function stampPath(prefix: string): string {
  return `${prefix}/.lvsctl-build`;
}

/** Exits 0 when the binary is there as it was installed from this build. */
export function isInstalled({ prefix, key }: Pick<NginxInstall, 'prefix' | 'key'>): Sh {
  return sh`{ { read -r _ key && read -r _ sum; } <${stampPath(prefix)}; } 2>/dev/null && [ "$key" = ${key} ] && [ "$(sha256sum <${`${prefix}/sbin/nginx`})" = "$sum  -" ]`;
}

/** Takes $LVSCTL_ARTEFACTS/KEY.tar.gz (see nginx-build.ts) apart and into place. What is in conf, html and logs already stays as it is. */
export function installNginx(want: NginxInstall): Sh {
  return lines(
    sh`(
umask 022
prefix=${want.prefix} key=${want.key} archive=$LVSCTL_ARTEFACTS/${want.key}.tar.gz
fail() { printf '%s\n' "$1" >&2; exit 1; }
mkdir -p -- "$prefix" && rm -rf -- "$prefix".lvsctl-?????? || exit 1
work=$(mktemp -d "$prefix.lvsctl-XXXXXX") || exit 1
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
tar -xzof "$archive" -C "$work" || fail "$archive cannot be unpacked"
[ "$(cat "$work/key")" = "$key" ] || fail "$archive is another build"
( cd "$work" && sha256sum -c sums >/dev/null ) || fail "$archive is damaged"
binary=$work/tree$prefix/sbin/nginx`,
    installLibraries(want.manager),
    sh`"$binary" -V >/dev/null 2>&1 || { ldd "$binary" >&2 || :; fail 'the built nginx does not run on this host'; }`,
    place,
    sh`sum=$(sha256sum <"$prefix/sbin/nginx") || exit 1
printf 'key %s\nsha256 %s\n' "$key" "\${sum%% *}" >"$work/stamp" && mv -f -- "$work/stamp" ${stampPath(want.prefix)} || exit 1
sync -- "$prefix/sbin/nginx" ${stampPath(want.prefix)} 2>/dev/null || sync
"$prefix/sbin/nginx" -V 2>&1 | head -n 1
)`,
  );
}

/** Only where the linker misses one. */
function installLibraries(manager: Facts['packageManager']): Sh {
  if (manager === 'none') return sh`:`;
  return lines(
    packageIsThere(manager),
    sh`if ldd "$binary" | grep -q 'not found'; then
  while read -r package <&3; do
    case $package in '' | -* | *[!a-zA-Z0-9.+_-]*) continue ;; esac
    package_is_there "$package" || {`,
    installOne(manager),
    sh`    } || fail "the package $package cannot be installed"
  done 3<"$work/packages"
fi`,
  );
}

/** `installPackages` for the name in `$package`, which only the host knows. */
function installOne(manager: Facts['packageManager']): Sh {
  const name = '(package)';
  const { parts } = installPackages(manager, [name]);
  return { parts: parts.map((part) => ('value' in part && part.value === name ? { text: '"$package"' } : part)) };
}

/** The binary comes last; the one that it replaces stays as nginx.old. */
const place: Sh = sh`cd "$work/tree" && find . -type d >"$work/directories" && find . ! -type d >"$work/files" || exit 1
while IFS= read -r path; do [ -d "/$path" ] || mkdir -- "/$path" || exit 1; done <"$work/directories"
put() { # FROM TO
  if [ -e "$2" ]; then cp -p -- "$1" "$2.lvsctl" && mv -f -- "$2.lvsctl" "$2"; else mv -- "$1" "$2"; fi
}
while IFS= read -r path; do
  target=/\${path#./}
  case $target in
    "$prefix"/sbin/nginx) continue ;;
    "$prefix"/conf/* | "$prefix"/html/* | "$prefix"/logs/*) [ ! -e "$target" ] && [ ! -L "$target" ] || continue ;;
  esac
  put "$path" "$target" || exit 1
done <"$work/files"
if [ -f "$prefix/sbin/nginx" ]; then
  rm -f -- "$prefix/sbin/nginx.old"
  ln -- "$prefix/sbin/nginx" "$prefix/sbin/nginx.old" || exit 1
fi
put "$binary" "$prefix/sbin/nginx" || exit 1
[ ! -e /sys/fs/selinux/enforce ] || ! command -v restorecon >/dev/null || restorecon -R -- "$prefix" || :`;
