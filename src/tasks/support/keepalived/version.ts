/**
 * Which keepalived a configuration is written for: the one that is there or, before it is installed, the one that is going to be. The same
 * keywords must come out before and after, or the plan would not be what is found afterwards.
 */
import { type Facts, type Sh, sh } from '../../../task.ts';

/** Versions such as `2.2.7`. */
export interface SeenVersion {
  readonly installed: string | undefined;
  /** What each package manager would install, as far as the host's lists of packages know. */
  readonly candidate: { readonly apt: string | undefined; readonly dnf: string | undefined };
}

/** Asks the package manager only where keepalived is missing: one process more, without network. */
export const versionProbe: Sh = sh`if said=$(keepalived -v 2>&1); then printf 'version %s\n' "\${said%%,*}"
else
  ! command -v apt-cache >/dev/null || apt-cache policy keepalived 2>/dev/null
  ! command -v dnf >/dev/null || dnf -q --cacheonly repoquery --latest-limit=1 --qf 'candidate %{evr}\\n' keepalived 2>/dev/null
fi`;

export function parseVersion(said: string): SeenVersion {
  const first = (pattern: RegExp): string | undefined => pattern.exec(said)?.[1];
  return {
    installed: first(/^version Keepalived v(\d+\.\d+\.\d+)/m),
    candidate: {
      apt: first(/^ {2}Candidate: (?:\d+:)?(\d+\.\d+\.\d+)/m),
      dnf: first(/^candidate (?:\d+:)?(\d+\.\d+\.\d+)/m),
    },
  };
}

/** `chosen` is the version that an earlier step installs, whatever is there now. */
export function versionFor({ installed, candidate }: SeenVersion, facts: Facts, chosen?: string | undefined): string {
  const offered = facts.packageManager === 'none' ? undefined : candidate[facts.packageManager];
  return chosen ?? installed ?? offered ?? shippedVersion(facts);
}

/** What the distributions ship, for hosts whose lists of packages are empty so far. */
const shipped: Readonly<Record<string, string>> = {
  'debian 11': '2.1.5',
  'debian 12': '2.2.7',
  'debian 13': '2.3.3',
  'ubuntu 20.04': '2.0.19',
  'ubuntu 22.04': '2.2.4',
  'ubuntu 24.04': '2.2.8',
  'el 8': '2.1.5',
  'el 9': '2.2.8',
};

function shippedVersion({ distribution, release }: Facts): string {
  const [major = ''] = release.split('.');
  const rebuild = ['rhel', 'rocky', 'almalinux', 'centos', 'ol'].includes(distribution);
  return shipped[rebuild ? `el ${major}` : `${distribution} ${release}`] ?? '2.1.0';
}
