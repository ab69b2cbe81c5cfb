import { z } from 'zod';
import { type Change, defineTask, type Facts, refuse, type Sh, sh } from '../task.ts';
import { packagesProbe, parsePackages, type SeenManagers, type SeenPackages } from './support/package-state.ts';
import { holdPackages, installPackages, releasePackages, removePackages } from './support/packages.ts';
import { oneOrMore, toList } from './support/params.ts';

const packageName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, 'the name of a package: letters, digits and "+", ".", "_", "-", not first');

const params = z
  .strictObject({
    name: oneOrMore(packageName).describe('Package, or list of packages; all of them are installed in one go.'),
    state: z.enum(['present', 'absent']).default('present').describe('`present` installs what is missing and upgrades nothing.'),
    hold: z
      .boolean()
      .optional()
      .describe(
        'Whether the version stays as it is, whoever upgrades the host: apt-mark, or the versionlock plugin of dnf. As it is unless said.',
      ),
  })
  .refine((want) => want.state === 'present' || want.hold !== true, '"hold: true" goes with "state: present" only');

type Want = z.infer<typeof params>;

export default defineTask<Want, SeenManagers>({
  summary:
    'Packages of the distribution, installed or not, held at their version or not. Services do not start by being installed; versions are pinned by the plan.',
  params,
  touches: (want) => toList(want.name).map((name) => `package:${name}`),
  probe: (want) => packagesProbe({ names: toList(want.name), candidates: want.state === 'present', holds: want.hold !== undefined }),
  parse: ({ stdout }) => parsePackages(stdout),
  plan: (seen, want, { facts }) => {
    const found = facts.packageManager === 'dnf' ? seen.dnf : seen.apt;
    if (want.hold === true && found.noHold !== '') throw cannotHold(found);
    const work = want.state === 'present' ? install(found, want, facts) : remove(found, want, facts);
    return want.hold === true ? [...work, ...hold(found, want, facts)] : [...release(found, want, facts), ...work];
  },
  settled: (want, seen) => {
    const names = toList(want.name);
    const one = names.length === 1;
    if (want.state === 'absent') return `${names.join(', ')} ${one ? 'is' : 'are'} not installed`;
    const installed = new Map([...seen.dnf.installed, ...seen.apt.installed]);
    const held = want.hold === undefined ? '' : want.hold ? ` and held at ${one ? 'this version' : 'these versions'}` : ' and not held';
    return `${names.map((name) => [name, installed.get(name)].filter(Boolean).join(' ')).join(', ')} ${one ? 'is' : 'are'} installed${held}`;
  },
  example: { name: ['keepalived', 'ipvsadm'], state: 'present', hold: true },
});

function install({ installed, candidates }: SeenPackages, want: Want, facts: Facts): readonly Change[] {
  const missing = toList(want.name).filter((name) => !installed.has(name));
  if (missing.length === 0) return [];
  const wanted = missing.map((name) => ({ name, version: candidates.get(name) }));
  return [
    {
      id: `install:${missing.join(',')}`,
      title: `install ${missing.join(', ')}`,
      was: '',
      will: wanted.map(({ name, version }) => `${name} ${version ?? '(newest available)'}\n`).join(''),
      run: installPackages(facts.packageManager, wanted),
      unless: allInstalled(missing, facts),
      timeout: 1800,
    },
  ];
}

function allInstalled(names: readonly string[], { packageManager }: Facts): Sh {
  if (packageManager === 'dnf') return sh`rpm -q -- ${names} >/dev/null 2>&1`;
  return sh`[ "$(dpkg-query -W -f='\${db:Status-Status}\\n' -- ${names} 2>/dev/null | grep -cx installed)" -ge ${names.length} ]`;
}

function remove({ installed, held }: SeenPackages, want: Want, facts: Facts): readonly Change[] {
  const present = toList(want.name).filter((name) => installed.has(name));
  if (present.length === 0) return [];
  const kept = present.filter((name) => held.has(name) && want.hold === undefined && facts.packageManager === 'apt');
  if (kept.length > 0) {
    throw refuse(
      `${kept.join(', ')} ${kept.length === 1 ? 'is' : 'are'} held: somebody has decided to keep the version`,
      'write "hold: false", if that is no longer so',
    );
  }
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

/** After the installation: what is held is the version that is there then. */
function hold({ installed, held, half }: SeenPackages, want: Want, facts: Facts): readonly Change[] {
  const free = toList(want.name).filter((name) => !held.has(name) || !installed.has(name));
  if (free.length === 0) return [];
  const state = (name: string) => (half.has(name) ? 'locked at other versions' : 'not held');
  return [
    {
      id: `hold:${free.join(',')}`,
      title: `hold ${free.join(', ')} at ${free.length === 1 ? 'its version' : 'their versions'}`,
      was: free.map((name) => `${name} ${state(name)}\n`).join(''),
      will: free.map((name) => `${name} held\n`).join(''),
      run: holdPackages(facts.packageManager, free),
      timeout: 120,
    },
  ];
}

function release({ held, half }: SeenPackages, want: Want, facts: Facts): readonly Change[] {
  const kept = toList(want.name).filter((name) => want.hold === false && (held.has(name) || half.has(name)));
  if (kept.length === 0) return [];
  return [
    {
      id: `release:${kept.join(',')}`,
      title: `hold ${kept.join(', ')} no longer`,
      was: kept.map((name) => `${name} held\n`).join(''),
      will: kept.map((name) => `${name} not held\n`).join(''),
      run: releasePackages(facts.packageManager, kept),
      timeout: 120,
    },
  ];
}

function cannotHold({ noHold }: SeenPackages): Error {
  const switchedOff = noHold.includes('switched off');
  return refuse(
    `packages cannot be held here: ${noHold}`,
    switchedOff ? 'write "enabled = 1" in /etc/dnf/plugins/versionlock.conf' : 'install the package python3-dnf-plugin-versionlock first',
  );
}
