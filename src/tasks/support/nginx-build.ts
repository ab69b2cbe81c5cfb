/** How nginx is compiled, once for all hosts of a kind. The result says which library packages it needs, so that others install only those. */
import { type Artefact, type Facts, lines, type Sh, sh } from '../../task.ts';
import { buildPackages, buildPlatform, shortHash } from './nginx-flags.ts';
import { packageIsThere } from './package-is-there.ts';
import { installPackages } from './packages.ts';

/** Raise it when the same inputs give another tar.gz, so that no cache holds an older one for right. */
const recipe = 1;

interface NginxBuild {
  readonly version: string;
  readonly sha256: string;
  readonly sources: readonly string[];
  readonly prefix: string;
  readonly user: string;
  readonly group: string;
  readonly configure: readonly string[];
  readonly build_packages?: readonly string[] | undefined;
}

/** All arguments of configure, in the order in which they are given. */
export function configureArguments({ prefix, user, group, configure }: NginxBuild): readonly string[] {
  return [`--prefix=${prefix}`, `--user=${user}`, `--group=${group}`, ...configure];
}

/**
 * The build as the planner takes it. The tar.gz holds `tree/` (what make installs, from the root on), `packages` (of the libraries that it
 * is linked to, a line each), `sums` (SHA-256 of every file in the tree) and `key`.
 */
export function nginxArtefact(want: NginxBuild, facts: Facts): Artefact {
  const manager = facts.packageManager === 'dnf' ? 'dnf' : 'apt';
  const packages = want.build_packages ?? buildPackages(want.version, want.configure, manager);
  const inputs = shortHash([recipe, want.sha256, [...configureArguments(want)].sort(), want.build_packages ?? []]);
  const key = `nginx-${want.version}-${buildPlatform(facts)}-${inputs}`;
  return {
    key,
    title: `build nginx ${want.version}`,
    sources: [{ sha256: want.sha256, name: `nginx-${want.version}.tar.gz`, from: want.sources }],
    build: lines(
      sh`(`,
      prepare(want, key),
      installMissing(facts.packageManager, packages),
      unpack(want),
      configure(want),
      compile,
      pack(want, facts.packageManager, key),
      sh`)`,
    ),
    timeout: 3600,
  };
}

/** A root-only folder that goes when the build ends, however; a log that stays. */
function prepare({ version }: NginxBuild, key: string): Sh {
  return sh`umask 077
mkdir -p /var/log/lvsctl && chmod 700 /var/log/lvsctl || exit 1
log=/var/log/lvsctl/${key}.log
: >"$log" || exit 1
work=$(mktemp -d /var/tmp/lvsctl-nginx.XXXXXX) || exit 1
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
fail() { printf '%s\n' ${`nginx ${version}`}" was not built: $1; the end of $log:"; tail -n 40 "$log"; exit 1; }`;
}

function installMissing(manager: Facts['packageManager'], packages: readonly string[]): Sh {
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

function unpack({ sha256 }: NginxBuild): Sh {
  return sh`archive=$LVSCTL_BLOBS/${sha256}
[ "$(sha256sum <"$archive")" = ${`${sha256}  -`} ] || fail 'the source on this host is not the one that was sent'
mkdir "$work/source" "$work/out" && tar -xf "$archive" -C "$work/source" >>"$log" 2>&1 || fail 'the source cannot be unpacked'
cd "$work"/source/*/ && [ -f configure ] || fail 'the source holds no single folder with a configure script'
umask 022`;
}

/** How many checks there will be is not known beforehand: the total is 0. */
function configure(want: NginxBuild): Sh {
  return sh`{ sh ./configure ${configureArguments(want)} 2>&1 && status=0 || status=$?; echo "$status" >"$work/status"; } | {
  count=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >&3
    case $line in 'checking for '*) count=$((count + 1)); progress "$count" 0 checks ;; esac
  done
} 3>>"$log"
[ "$(cat "$work/status")" = 0 ] || fail 'configure found something missing'`;
}

/** With -O make prints a command when its object file is done, not when it is begun, so what is counted is done. */
const compile: Sh = sh`total=$(grep -c '^objs/.*\\.o:' objs/Makefile) || total=0
jobs=$(nproc 2>/dev/null) || jobs=1
whole=''
! make -O --version >/dev/null 2>&1 || whole=-O
{ make \${whole:+"$whole"} -j "$jobs" 2>&1 && status=0 || status=$?; echo "$status" >"$work/status"; } | {
  count=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >&3
    case $line in *'-o objs/'*.o | *'-o objs/'*'.o '*) count=$((count + 1)); progress "$count" "$total" 'object files' ;; esac
  done
} 3>>"$log"
[ "$(cat "$work/status")" = 0 ] || fail 'make failed'
make install DESTDIR="$work/out/tree" >>"$log" 2>&1 || fail 'make install failed'`;

function pack({ prefix }: NginxBuild, manager: Facts['packageManager'], key: string): Sh {
  return sh`cd "$work/out" || exit 1
./tree${`${prefix}/sbin/nginx`} -V >>"$log" 2>&1 || fail 'the binary does not run'
objects() { find tree -type f '(' -name nginx -o -name '*.so' ')' -exec "$@" {} + 2>/dev/null; }
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
