import { z } from 'zod';
import { type Change, defineTask, type Facts, lines, type Sh, sh } from '../task.ts';
import { installPackages, removePackages } from './support/packages.ts';
import { oneOrMore, toList } from './support/params.ts';

const packageName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, 'the name of a package: letters, digits and "+", ".", "_", "-", not first');

const params = z.strictObject({
  name: oneOrMore(packageName).describe('Package, or list of packages; all of them are installed in one go.'),
  state: z.enum(['present', 'absent']).default('present').describe('`present` installs what is missing and upgrades nothing.'),
});

type Want = z.infer<typeof params>;

/** By package name. */
interface SeenPackages {
  readonly installed: ReadonlyMap<string, string>;
  /** The version that would be installed; absent where the host's lists of packages do not have one. */
  readonly candidates: ReadonlyMap<string, string>;
}

/** A host may have both managers' tools; each says what it knows, and the plan listens to the one that the facts name. */
interface Seen {
  readonly apt: SeenPackages;
  readonly dnf: SeenPackages;
}

export default defineTask<Want, Seen>({
  summary: 'Packages of the distribution, installed or not. Services do not start by being installed; versions are pinned by the plan.',
  params,
  touches: (want) => toList(want.name).map((name) => `package:${name}`),
  probe: (want) =>
    lines(
      aptProbe(toList(want.name)),
      sh`command -v rpm >/dev/null && rpm -q --qf 'rpm %{NAME} %{VERSION}-%{RELEASE}\\n' ${toList(want.name)}`,
    ),
  parse: ({ stdout }) => ({
    apt: { installed: versions(stdout, 'dpkg'), candidates: candidates(stdout) },
    dnf: { installed: versions(stdout, 'rpm'), candidates: new Map() },
  }),
  plan: (seen, want, { facts }) => (want.state === 'present' ? install(seen, want, facts) : remove(seen, want, facts)),
  settled: (want, seen) => {
    const names = toList(want.name);
    const one = names.length === 1;
    if (want.state === 'absent') return `${names.join(', ')} ${one ? 'is' : 'are'} not installed`;
    const installed = new Map([...seen.dnf.installed, ...seen.apt.installed]);
    return `${names.map((name) => [name, installed.get(name)].filter(Boolean).join(' ')).join(', ')} ${one ? 'is' : 'are'} installed`;
  },
  example: { name: ['keepalived', 'ipvsadm'], state: 'present' },
});

/** One process for all names; a second one only for those that are missing. */
function aptProbe(names: readonly string[]): Sh {
  return sh`if command -v dpkg-query >/dev/null; then
  seen=$(dpkg-query -W -f='\${Package} \${db:Status-Status} \${Version}\\n' -- ${names} 2>/dev/null)
  printf '%s\n' "$seen" | while read -r name status version; do [ "$status" != installed ] || printf 'dpkg %s %s\n' "$name" "$version"; done
  set -- ${names}
  for name do
    shift
    case "
$seen" in
      *"
$name installed "*) ;;
      *) set -- "$@" "$name" ;;
    esac
  done
  [ $# -eq 0 ] || apt-cache policy -- "$@" 2>/dev/null
fi`;
}

/** Lines `KIND NAME VERSION`. */
function versions(stdout: string, kind: string): ReadonlyMap<string, string> {
  const words = stdout.split('\n').map((line) => line.split(' '));
  return new Map(words.flatMap(([first, name, version]) => (first === kind && name && version ? [[name, version] as const] : [])));
}

/** `apt-cache policy`: a line `NAME:` and below it `  Candidate: VERSION`, which is `(none)` where nothing can be installed. */
function candidates(stdout: string): ReadonlyMap<string, string> {
  const found = stdout.matchAll(/^(\S+):\n {2}Installed: .*\n {2}Candidate: ([0-9A-Za-z.+:~-]+)$/gm);
  return new Map([...found].map(([, name = '', version = '']) => [name, version]));
}

function install(seen: Seen, want: Want, facts: Facts): readonly Change[] {
  const { installed, candidates: known } = facts.packageManager === 'dnf' ? seen.dnf : seen.apt;
  const missing = toList(want.name).filter((name) => !installed.has(name));
  if (missing.length === 0) return [];
  const wanted = missing.map((name) => ({ name, version: known.get(name) }));
  return [
    {
      id: `install:${missing.join(',')}`,
      title: `install ${missing.join(', ')}`,
      was: '',
      will: wanted.map(({ name, version }) => `${name} ${version ?? '(newest available)'}\n`).join(''),
      run: installPackages(facts.packageManager, wanted),
      ...(facts.packageManager === 'apt' && { unless: allInstalled(missing) }),
      timeout: 1800,
    },
  ];
}

function allInstalled(names: readonly string[]): Sh {
  return sh`[ "$(dpkg-query -W -f='\${db:Status-Status}\\n' -- ${names} 2>/dev/null | grep -cx installed)" -ge ${names.length} ]`;
}

function remove(seen: Seen, want: Want, facts: Facts): readonly Change[] {
  const { installed } = facts.packageManager === 'dnf' ? seen.dnf : seen.apt;
  const present = toList(want.name).filter((name) => installed.has(name));
  if (present.length === 0) return [];
  return [
    {
      id: `remove:${present.join(',')}`,
      title: `remove ${present.join(', ')}`,
      was: present.map((name) => `${name} ${installed.get(name)}\n`).join(''),
      will: '',
      run: removePackages(facts.packageManager, present),
      timeout: 600,
      risk: 'restart',
    },
  ];
}
