/** How packages are installed and removed. Nothing starts or restarts on the way: that is only ever a handler's or a service step's to do. */
import { type Facts, lines, refuse, type Sh, sh } from '../../../task.ts';

export type PackageManager = Facts['packageManager'];

export interface PackageVersion {
  readonly name: string;
  /** Exactly this one; absent: the newest that the host's repositories have. */
  readonly version?: string | undefined;
}

/**
 * Installs what is missing of `wanted`, without recommended packages. The lists of packages are renewed first where a version is not
 * known, and after a failure (the pinned one may be gone from the mirror), then it is tried once more. With `anyDirection` an older
 * version may take the place of a newer one. Throws `refused` without a known package manager.
 */
export function installPackages(
  manager: PackageManager,
  wanted: readonly (string | PackageVersion)[],
  { anyDirection = false }: { readonly anyDirection?: boolean } = {},
): Sh {
  const packages = wanted.map((each) => (typeof each === 'string' ? { name: each, version: undefined } : each));
  if (manager === 'apt') return aptInstall(packages, anyDirection);
  if (manager === 'dnf') return dnfInstall(packages, anyDirection);
  throw noManager();
}

/** Has apt fetch its lists of packages. */
export const refreshAptLists = (): Sh => lines(aptGet, renewLists, sh`renew_lists || exit 1`);

/** Removes packages, and leaves their configuration. */
export function removePackages(manager: PackageManager, names: readonly string[]): Sh {
  if (manager === 'apt') return lines(aptGet, sh`apt_get remove ${names}`);
  if (manager === 'dnf') return sh`dnf -y --setopt=clean_requirements_on_remove=False remove ${names}`;
  throw noManager();
}

/** Keeps installed packages at the version that they have. */
export function holdPackages(manager: PackageManager, names: readonly string[]): Sh {
  if (manager === 'apt') return aptMark('hold', names);
  if (manager === 'dnf') {
    return sh`set -- ${names}
for name do
  version=$(rpm -q --qf '%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}' -- "$name") || { printf '%s\n' "$version" >&2; exit 1; }
  dnf -q --cacheonly versionlock delete "$name" && dnf -q --cacheonly versionlock add "$version" || exit 1
done`;
  }
  throw noManager();
}

/** Lets upgrades have packages again. */
export function releasePackages(manager: PackageManager, names: readonly string[]): Sh {
  if (manager === 'apt') return aptMark('unhold', names);
  if (manager === 'dnf') return sh`dnf -q --cacheonly versionlock delete ${names}`;
  throw noManager();
}

/** apt-mark does not wait for another apt, as apt-get does. */
function aptMark(verb: 'hold' | 'unhold', names: readonly string[]): Sh {
  return sh`tries=1
until apt-mark ${verb} ${names}; do
  [ "$tries" -lt 12 ] || exit 1
  tries=$((tries + 1))
  sleep 5
done`;
}

function noManager() {
  return refuse('this host has neither apt-get nor dnf', 'install the packages by hand, and leave this step out there');
}

/** Waits for another apt; never asks; keeps configuration files that somebody has changed. */
const aptGetWith = (options: Sh): Sh => sh`export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
apt_get() { apt-get -y -q ${options} -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }`;
const aptGet = aptGetWith(sh``);

/** Debian's package scripts ask policy-rc.d before they start a service; 101 says no. One that is not ours stays as it is. */
const noServices = sh`policy=/usr/sbin/policy-rc.d
if { [ ! -e "$policy" ] && [ ! -L "$policy" ]; } || grep -qs '^# lvsctl' "$policy"; then
  trap 'rm -f -- "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '%s\n' '#!/bin/sh' '# lvsctl: nothing starts while it installs packages' 'exit 101' >"$policy" && chmod 0755 "$policy" || exit 1
fi`;

/** The lists have a lock of their own, for which apt does not wait. */
const renewLists = sh`renew_lists() {
  tries=1
  until apt_get update; do
    [ "$tries" -lt 3 ] || return 1
    tries=$((tries + 1))
    sleep 5
  done
}`;

function aptInstall(packages: readonly PackageVersion[], anyDirection: boolean): Sh {
  const known = packages.every(({ version }) => version !== undefined);
  return lines(
    sh`(`,
    aptGet,
    noServices,
    renewLists,
    finishOthers,
    sh`install() { ${aptWords(packages, anyDirection)}; }`,
    known ? sh`install || { renew_lists && install; }` : sh`renew_lists; install`,
    sh`)`,
  );
}

/** What somebody else's dpkg left half done. */
const finishOthers: Sh = sh`[ -z "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] || dpkg --configure -a || exit 1`;

function aptWords(packages: readonly PackageVersion[], anyDirection: boolean): Sh {
  const words = packages.map(({ name, version }) => (version === undefined ? name : `${name}=${version}`));
  const options = anyDirection ? sh`--no-install-recommends --allow-downgrades` : sh`--no-install-recommends`;
  return sh`apt_get ${options} install ${words}`;
}

/** Options of apt-get: nothing but the repository of `installFromFolder`, and none of the host's own lists touched. */
const onlyFolder: Sh = sh`-o Dir::Etc::SourceList="$folder.apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$folder.apt/lists" \
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root`;

/**
 * The same from the repository in the folder `$folder` (which everybody may read) and from nothing else: no other list of packages is
 * looked at, nothing is fetched.
 */
export function installFromFolder(
  manager: PackageManager,
  packages: readonly PackageVersion[],
  { anyDirection = false }: { readonly anyDirection?: boolean } = {},
): Sh {
  if (manager === 'apt') {
    return lines(
      sh`(`,
      aptGetWith(onlyFolder),
      noServices,
      finishOthers,
      sh`mkdir -p "$folder.apt/lists/partial" && printf 'deb [trusted=yes] file:%s ./\n' "$folder" >"$folder.apt/sources.list" || exit 1
apt_get update && ${aptWords(packages, anyDirection)}
)`,
    );
  }
  if (manager === 'dnf') {
    return lines(
      sh`keys=$(find /etc/pki/rpm-gpg -type f -name 'RPM-GPG-KEY-*' 2>/dev/null | sed 's|^|file://|' | tr '\n' ' ')`,
      dnfWords(
        packages,
        anyDirection,
        sh`dnf -y '--disablerepo=*' "--repofrompath=lvsctl,file://$folder" "--setopt=lvsctl.gpgkey=$keys" --setopt=lvsctl.metadata_expire=0`,
      ),
    );
  }
  throw noManager();
}

/**
 * dnf goes by lists that may be two days old: a pinned version that is gone is looked for once more in new ones. It installs no older
 * version over a newer one, and calls that a success.
 */
function dnfInstall(packages: readonly PackageVersion[], anyDirection: boolean): Sh {
  return dnfWords(packages, anyDirection, sh`dnf -y`);
}

function dnfWords(packages: readonly PackageVersion[], anyDirection: boolean, dnf: Sh): Sh {
  const words = packages.map(({ name, version }) => (version === undefined ? name : `${name}-${version}`));
  const install = sh`${dnf} --setopt=install_weak_deps=False install ${words}`;
  if (packages.every(({ version }) => version === undefined)) return install;
  const renewed = sh`${install} || ${dnf} --refresh --setopt=install_weak_deps=False install ${words}`;
  if (!anyDirection) return renewed;
  return sh`{ ${renewed}; } && { rpm -q -- ${words} >/dev/null || ${dnf} downgrade ${words}; }`;
}
