/**
 * How something is compiled, once for all hosts of a kind. The result is a tar.gz of `tree/` (what make installs, from the root on),
 * `packages` (of the libraries that it is linked to, a line each, so that others install only those), `sums` (SHA-256 of every file in
 * the tree) and `key`. Fragments follow each other in one subshell.
 */
import { type Facts, lines, type Sh, sh } from '../../../task.ts';
import { installPackages } from '../packages/install.ts';
import { packageIsThere } from '../packages/is-there.ts';

type Manager = Facts['packageManager'];

/** A root-only folder that goes when the build ends, however; a log that stays. `what` is `nginx 1.26.3`. */
export function beginBuild(what: string, key: string): Sh {
  return sh`umask 077
mkdir -p /var/log/lvsctl && chmod 700 /var/log/lvsctl || exit 1
log=/var/log/lvsctl/${key}.log
: >"$log" || exit 1
work=$(mktemp -d /var/tmp/lvsctl-build.XXXXXX) || exit 1
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
fail() { printf '%s\n' ${what}" was not built: $1; the end of $log:"; tail -n 40 "$log"; exit 1; }`;
}

export function installMissing(manager: Manager, packages: readonly string[]): Sh {
  if (manager === 'none' || packages.length === 0) return sh`:`;
  return lines(
    packageIsThere(manager),
    sh`missing=''
for package in ${packages}; do package_is_there "$package" || missing="$missing $package"; done
if [ -n "$missing" ]; then
  printf 'missing:%s\n' "$missing" >>"$log"`,
    sh`( ${installPackages(manager, packages)}
) >>"$log" 2>&1 || fail "the packages$missing cannot be installed"
fi`,
  );
}

/** `starts` is the file in the source's one folder that building begins with. */
export function unpackSource(sha256: string, starts: 'configure' | 'Makefile'): Sh {
  return sh`archive=$LVSCTL_BLOBS/${sha256}
[ "$(sha256sum <"$archive")" = ${`${sha256}  -`} ] || fail 'the source on this host is not the one that was sent'
mkdir "$work/source" "$work/out" && tar -xf "$archive" -C "$work/source" >>"$log" 2>&1 || fail 'the source cannot be unpacked'
cd "$work"/source/*/ && [ -f ${starts} ] || fail ${`the source holds no single folder with a ${starts}`}
umask 022`;
}

/** How many checks there will be is not known beforehand: the total is 0. */
export function runConfigure(words: readonly string[]): Sh {
  return sh`{ sh ./configure ${words} 2>&1 && status=0 || status=$?; echo "$status" >"$work/status"; } | {
  count=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >&3
    case $line in 'checking for '*) count=$((count + 1)); progress "$count" 0 checks ;; esac
  done
} 3>>"$log"
[ "$(cat "$work/status")" = 0 ] || fail 'configure found something missing'`;
}

/**
 * `compiles` is the pattern of the line that make prints for an object file, `total` prints how many there will be, 0 when unknown. With -O
 * make prints a command when its object file is done, not when it is begun, so what is counted is done.
 */
export function runMake({ compiles, total }: { readonly compiles: Sh; readonly total: Sh }): Sh {
  return sh`total=$(${total}) || total=0
jobs=$(nproc 2>/dev/null) || jobs=1
whole=''
! make -O --version >/dev/null 2>&1 || whole=-O
{ make \${whole:+"$whole"} -j "$jobs" 2>&1 && status=0 || status=$?; echo "$status" >"$work/status"; } | {
  count=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >&3
    case $line in ${compiles}) count=$((count + 1)); progress "$count" "$total" 'object files' ;; esac
  done
} 3>>"$log"
[ "$(cat "$work/status")" = 0 ] || fail 'make failed'`;
}

/** Leaves of the tree what lies below the prefix: units, init scripts and samples in /etc are the tasks' own business. */
export function onlyBelow(prefix: string): Sh {
  return sh`find "$work/out/tree" ! -type d ! -path "$work/out/tree"${`${prefix}/*`} -exec rm -f {} + && find "$work/out/tree" -depth -type d -empty -exec rmdir {} + || fail 'the result cannot be cleared up'`;
}

export function packResult(manager: Manager, key: string): Sh {
  return sh`cd "$work/out" || exit 1
objects() { find tree -type f '(' -perm -100 -o -name '*.so' ')' -exec "$@" {} + 2>/dev/null; }
objects objdump -p | sed -n 's/^ *NEEDED *//p' | sort -u >"$work/needed"
objects ldd | grep -F -f "$work/needed" | sed -n 's|.*=> \\(/[^ ]*\\).*|\\1|p' | sort -u >"$work/libraries"
: >packages
${manager === 'dnf' ? rpmOwners : debOwners}
find tree -type f -exec sha256sum {} + | sort -k 2 >sums && printf '%s\n' ${key} >key || exit 1
tar -czf "$LVSCTL_ARTEFACT" tree packages sums key >>"$log" 2>&1 || fail 'the result cannot be packed'`;
}

/** The file may be known to dpkg with or without /usr, whichever way the linker spells it. */
const debOwners: Sh = sh`if command -v dpkg >/dev/null; then
  set --
  while IFS= read -r library; do set -- "$@" "$library" "/usr$library" "\${library#/usr}"; done <"$work/libraries"
  dpkg -S -- "$@" 2>/dev/null | sed -n 's/^\\([a-z0-9][a-z0-9.+-]*\\)\\(:[a-z0-9-]*\\)\\{0,1\\}: .*/\\1/p' | sort -u >packages
fi`;

const rpmOwners: Sh = sh`while IFS= read -r library; do rpm -q --qf '%{NAME}\n' -f "$library" 2>/dev/null || :; done <"$work/libraries" | sort -u >packages`;
