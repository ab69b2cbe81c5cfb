/** How packages are installed and removed. Nothing starts or restarts on the way: that is only ever a handler's or a service step's to do. */
import { type Facts, lines, refuse, type Sh, sh } from '../../task.ts';

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
const aptGet = sh`export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
apt_get() { apt-get -y -q -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }`;

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
  const words = packages.map(({ name, version }) => (version === undefined ? name : `${name}=${version}`));
  const options = anyDirection ? sh`--no-install-recommends --allow-downgrades` : sh`--no-install-recommends`;
  return lines(
    sh`(`,
    aptGet,
    noServices,
    renewLists,
    sh`[ -z "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] || dpkg --configure -a || exit 1
install() { apt_get ${options} install ${words}; }`,
    known ? sh`install || { renew_lists && install; }` : sh`renew_lists; install`,
    sh`)`,
  );
}

/**
 * dnf goes by lists that may be two days old: a pinned version that is gone is looked for once more in new ones. It installs no older
 * version over a newer one, and calls that a success.
 */
function dnfInstall(packages: readonly PackageVersion[], anyDirection: boolean): Sh {
  const words = packages.map(({ name, version }) => (version === undefined ? name : `${name}-${version}`));
  const install = sh`dnf -y --setopt=install_weak_deps=False install ${words}`;
  if (packages.every(({ version }) => version === undefined)) return install;
  const renewed = sh`${install} || dnf -y --refresh --setopt=install_weak_deps=False install ${words}`;
  if (!anyDirection) return renewed;
  return sh`{ ${renewed}; } && { rpm -q -- ${words} >/dev/null || dnf -y downgrade ${words}; }`;
}
