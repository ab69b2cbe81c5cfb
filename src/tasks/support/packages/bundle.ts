/**
 * Packages with all that they depend on, fetched once by a host that reaches its repositories, for hosts that reach none. The tar.gz
 * holds `repository/` (packages and the lists that make a repository of them), `sums` (SHA-256 of every file in it) and `key`.
 */
import { type Artefact, type Facts, lines, type Sh, sh } from '../../../task.ts';
import { buildPlatform, shortHash } from '../source/platform.ts';
import { installFromFolder, installPackages, type PackageVersion, refreshAptLists } from './install.ts';

/** Raise it when the same inputs give another tar.gz, so that no cache holds an older one for right. */
const recipe = 1;

interface Bundle {
  readonly packages: readonly PackageVersion[];
  /** Any text: another one, another bundle. */
  readonly edition: string;
  readonly on: string;
}

/** What apt and dnf have verified is in it: signed lists there, and the sums on the way. */
export function bundleArtefact({ packages, edition, on }: Bundle, facts: Facts): Artefact {
  const names = packages.map(({ name }) => name);
  const key = `packages-${buildPlatform(facts)}-${shortHash([recipe, packages.map(({ name, version = '' }) => [name, version]).sort(), edition])}`;
  return {
    key,
    title: `fetch ${names.join(', ')} and what ${names.length === 1 ? 'it needs' : 'they need'}`,
    sources: [],
    build: lines(
      sh`(
umask 022
work=$(mktemp -d /var/tmp/lvsctl-packages.XXXXXX) || exit 1
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
fail() { printf '%s\n' "$1" >&2; exit 1; }
mkdir "$work/repository" || exit 1`,
      facts.packageManager === 'dnf' ? fetchRpms(packages) : fetchDebs(packages),
      sh`cd "$work" && find repository -type f -exec sha256sum {} + | sort -k 2 >sums && printf '%s\n' ${key} >key || exit 1
tar -czf "$LVSCTL_ARTEFACT" repository sums key
)`,
    ),
    timeout: 3600,
    ...(on !== 'first' && { on }),
  };
}

/**
 * As for a host that has nothing installed but what no repository has (a package put there by hand, a system that is older than its
 * mirror): nothing is left out only because the fetching host has it already.
 */
function fetchDebs(packages: readonly PackageVersion[]): Sh {
  const words = packages.map(({ name, version }) => (version === undefined ? name : `${name}=${version}`));
  return lines(
    refreshAptLists(),
    sh`: >"$work/status" && cd "$work/repository" || exit 1
apt-cache -o Dir::State::status="$work/status" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= pkgnames >"$work/names" || exit 1
awk -v names="$work/names" 'BEGIN { while ((getline name <names) > 0) offered[name] = 1; RS = ""; ORS = "\\n\\n" }
{ name = $0; sub(/\\n.*/, "", name); sub(/^Package: /, "", name); if (!(name in offered)) print }' /var/lib/dpkg/status >"$work/status.new" && mv -- "$work/status.new" "$work/status" || exit 1
apt-get -s -q -o Dir::State::status="$work/status" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= --no-install-recommends install ${words} >"$work/plan" || fail 'the packages cannot be had here'
sed -n 's/^Inst \\([^ ]*\\) (\\([^ ]*\\) .*/\\1=\\2/p' "$work/plan" | xargs apt-get -q -o APT::Sandbox::User=root download || fail 'the packages cannot be fetched'
for file in *.deb; do
  sum=$(sha256sum <"$file") && dpkg-deb -f "$file" && printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s -- "$file")" "\${sum%% *}" || exit 1
done >Packages`,
  );
}

function fetchRpms(packages: readonly PackageVersion[]): Sh {
  const words = packages.map(({ name, version }) => (version === undefined ? name : `${name}-${version}`));
  return sh`dnf download --help >/dev/null 2>&1 || ( ${installPackages('dnf', ['dnf-plugins-core'])}
) || fail 'dnf cannot download without dnf-plugins-core'
command -v createrepo_c >/dev/null || ( ${installPackages('dnf', ['createrepo_c'])}
) || fail 'createrepo_c, which makes a repository of packages, cannot be installed'
dnf -y -q --refresh download --resolve --alldeps --arch "$(uname -m)" --arch noarch --destdir "$work/repository" ${words} || fail 'the packages cannot be fetched'
createrepo_c --quiet "$work/repository" || fail 'no repository can be made of the packages'`;
}

/** Takes $LVSCTL_ARTEFACTS/KEY.tar.gz apart, and installs from there alone. */
export function installBundle(key: string, facts: Facts, wanted: readonly PackageVersion[], anyDirection: boolean): Sh {
  return lines(
    sh`(
umask 022
archive=$LVSCTL_ARTEFACTS/${key}.tar.gz
fail() { printf '%s\n' "$1" >&2; exit 1; }
work=$(mktemp -d /var/tmp/lvsctl-packages.XXXXXX) && chmod 755 "$work" || exit 1
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
tar -xzof "$archive" -C "$work" || fail "$archive cannot be unpacked"
[ "$(cat "$work/key")" = ${key} ] || fail "$archive holds other packages"
( cd "$work" && sha256sum -c sums >/dev/null ) || fail "$archive is damaged"
folder=$work/repository`,
    installFromFolder(facts.packageManager, wanted, { anyDirection }),
    sh`)`,
  );
}
