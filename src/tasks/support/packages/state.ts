/** What a host's package manager knows of some packages: installed, to be had, held. */
import { lines, type Sh, sh } from '../../../task.ts';

/** By package name. */
export interface SeenPackages {
  readonly installed: ReadonlyMap<string, string>;
  /** The version that would be installed; absent where the host's lists of packages do not have one. */
  readonly candidates: ReadonlyMap<string, string>;
  /** No upgrade touches them. */
  readonly held: ReadonlySet<string>;
  /** Some versions are locked, but not exactly the installed one. */
  readonly half: ReadonlySet<string>;
  /** Why packages cannot be held here; empty where they can. */
  readonly noHold: string;
}

/** A host may have both managers' tools; each says what it knows, and the plan listens to the one that the facts name. */
export interface SeenManagers {
  readonly apt: SeenPackages;
  readonly dnf: SeenPackages;
}

export interface Question {
  readonly names: readonly string[];
  /** Asks for what could be installed, too. */
  readonly candidates: boolean;
}

/** Without network: what the host's lists of packages say. */
export function packagesProbe(question: Question): Sh {
  return lines(aptProbe(question), dnfProbe(question), lockProbe);
}

export function parsePackages(stdout: string): SeenManagers {
  return {
    apt: {
      installed: versions(stdout, 'dpkg'),
      candidates: aptCandidates(stdout),
      held: new Set(words(stdout, 'held')),
      half: new Set(),
      noHold: '',
    },
    dnf: { installed: versions(stdout, 'rpm'), candidates: versions(stdout, 'candidate'), ...locks(stdout) },
  };
}

/** One process for all names; a second one only for those that are missing. */
function aptProbe({ names, candidates }: Question): Sh {
  const missing = sh`set -- ${names}
  for name do
    shift
    case "
$seen" in
      *"
$name installed "*) ;;
      *) set -- "$@" "$name" ;;
    esac
  done
  [ $# -eq 0 ] || apt-cache policy -- "$@" 2>/dev/null`;
  return sh`if command -v dpkg-query >/dev/null; then
  seen=$(dpkg-query -W -f='\${Package} \${db:Status-Status} \${Version} \${db:Status-Want}\\n' -- ${names} 2>/dev/null)
  printf '%s\n' "$seen" | while read -r name status version want; do
    [ "$status" != installed ] || printf 'dpkg %s %s\n' "$name" "$version"
    [ "\${want:-$version}" != hold ] || printf 'held %s\n' "$name"
  done
  ${candidates ? missing : sh`:`}
fi`;
}

/** dnf itself is slow to start, so it is asked for candidates only where something is missing. */
function dnfProbe({ names, candidates }: Question): Sh {
  const ask = sh`[ $# -eq 0 ] || ! command -v dnf >/dev/null || dnf -q --cacheonly repoquery --latest-limit=1 --qf 'candidate %{name} %{evr}\\n' -- "$@" 2>/dev/null`;
  return sh`if command -v rpm >/dev/null; then
  seen=$(rpm -q --qf 'rpm %{NAME} %{EVR}\\n' -- ${names} 2>/dev/null)
  printf '%s\n' "$seen"
  set -- ${names}
  for name do
    shift
    case "
$seen" in
      *"
rpm $name "*) ;;
      *) set -- "$@" "$name" ;;
    esac
  done
  ${candidates ? ask : sh`:`}
fi`;
}

/** The plugin's own files: asking dnf takes a second. */
const lockProbe: Sh = sh`for file in /usr/lib/python3*/*-packages/dnf-plugins/versionlock.py; do [ ! -e "$file" ] || printf 'versionlock there\n'; done
list=/etc/dnf/plugins/versionlock.list
if [ -r /etc/dnf/plugins/versionlock.conf ]; then
  while IFS=' =' read -r key value; do
    case $key in enabled) printf 'enabled %s\n' "$value" ;; locklist) list=$value ;; esac
  done </etc/dnf/plugins/versionlock.conf
fi
[ ! -r "$list" ] || while read -r line; do
  case $line in '' | '#'*) ;; *) printf 'lock %s\n' "$line" ;; esac
done <"$list"`;

/** The rest of every line that begins with `kind`. */
function words(stdout: string, kind: string): readonly string[] {
  return stdout.split('\n').flatMap((line) => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1)] : []));
}

/** Lines `KIND NAME VERSION`. */
function versions(stdout: string, kind: string): ReadonlyMap<string, string> {
  const pairs = words(stdout, kind).map((line) => line.split(' '));
  return new Map(
    pairs.flatMap(([name, version]) => (name && version && /^[0-9A-Za-z.+:~^_-]+$/.test(version) ? [[name, version] as const] : [])),
  );
}

/** `apt-cache policy`: a line `NAME:` and below it `  Candidate: VERSION`, which is `(none)` where nothing can be installed. */
function aptCandidates(stdout: string): ReadonlyMap<string, string> {
  const found = stdout.matchAll(/^(\S+):\n {2}Installed: .*\n {2}Candidate: ([0-9A-Za-z.+:~-]+)$/gm);
  return new Map([...found].map(([, name = '', version = '']) => [name, version]));
}

/** A lock is `NAME-EPOCH:VERSION-RELEASE.ARCH`; with `!` before it, one that keeps a version away. */
function locks(stdout: string): Pick<SeenPackages, 'held' | 'half' | 'noHold'> {
  const there = words(stdout, 'versionlock').includes('there');
  const off = words(stdout, 'enabled').some((value) => /^(0|no|false|off)$/i.test(value));
  const noHold = there ? (off ? 'the versionlock plugin of dnf is switched off' : '') : 'dnf has no versionlock plugin';
  if (noHold !== '') return { held: new Set(), half: new Set(), noHold };
  const installed = versions(stdout, 'rpm');
  const found = words(stdout, 'lock').flatMap((line) => {
    const [, name = '', epoch = '0', version = ''] = /^(.+)-(?:(\d+):)?([^-]+-[^-]+)\.(?:\*|[^.-]+)$/.exec(line) ?? [];
    return name === '' ? [] : [{ name, version: `${epoch}:${version}` }];
  });
  const names = [...new Set(found.map(({ name }) => name))];
  const exact = (name: string): boolean => {
    const version = installed.get(name) ?? '';
    const wanted = version.includes(':') ? version : `0:${version}`;
    return found.every((lock) => lock.name !== name || lock.version === wanted);
  };
  return { held: new Set(names.filter(exact)), half: new Set(names.filter((name) => !exact(name))), noHold };
}
