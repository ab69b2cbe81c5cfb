import { z } from 'zod';
import { type Artefact, type Change, defineTask, type Facts, refuse, type Sh, sh } from '../task.ts';
import { bundleArtefact, installBundle } from './support/packages/bundle.ts';
import { cannotHold, holdChange, kept, refuseHeld, releaseChange } from './support/packages/holds.ts';
import { installPackages, removePackages } from './support/packages/install.ts';
import { packagesProbe, parsePackages, type SeenManagers, type SeenPackages } from './support/packages/state.ts';
import { oneOrMore, toList } from './support/params.ts';

const packageName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, 'the name of a package: letters, digits and "+", ".", "_", "-", not first');

const params = z
  .strictObject({
    name: oneOrMore(packageName).describe('Package, or list of packages; all of them are installed in one go.'),
    state: z.enum(['present', 'absent']).default('present').describe('`present` installs what is missing and upgrades nothing.'),
    version: z
      .string()
      .regex(/^[0-9A-Za-z][0-9A-Za-z.+:~^_-]*$/, 'a whole version as the package manager writes it, such as 1:2.2.7-1+b2 or 1.20.1-14.el9')
      .optional()
      .describe(
        'Exactly this version, be it older than the installed one; only with a single package. Unsaid, any installed version is right.',
      ),
    hold: z
      .boolean()
      .optional()
      .describe(
        'Whether the version stays as it is, whoever upgrades the host: apt-mark, or the versionlock plugin of dnf. As it is unless said.',
      ),
    offline: z
      .boolean()
      .optional()
      .describe(
        'For hosts that reach no repository: another host fetches the packages and all that they need, once, and they are brought here.',
      ),
    on: z
      .string()
      .min(1)
      .optional()
      .describe('Goes with "offline": the host that fetches. Unsaid, the first that needs the packages; it keeps what fetching needs.'),
    edition: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,40}$/, 'letters, digits, ".", "_" and "-", such as 2026-11')
      .optional()
      .describe('Goes with "offline": another text has the packages fetched anew, instead of taking those that the control machine keeps.'),
  })
  .refine((want) => want.state === 'present' || want.offline !== true, '"offline: true" goes with "state: present" only')
  .refine((want) => want.offline === true || (want.on ?? want.edition) === undefined, '"on" and "edition" go with "offline: true" only')
  .refine((want) => want.state === 'present' || want.hold !== true, '"hold: true" goes with "state: present" only')
  .refine(
    (want) => want.version === undefined || (want.state === 'present' && toList(want.name).length === 1),
    '"version" belongs to one package that is present: give each package a step of its own',
  );

type Want = z.infer<typeof params>;

/** What Debian's packages make when they are installed, and leave when they are purged. */
const leftBehind: Readonly<Record<string, readonly string[]>> = {
  nginx: ['file:/var/www/html/index.nginx-debian.html'],
  apache2: ['directory:/var/www'],
};

export default defineTask<Want, SeenManagers>({
  summary:
    'Packages of the distribution, installed or not, held at their version or not. Services do not start by being installed; versions are pinned by the plan.',
  params,
  touches: (want) => toList(want.name).flatMap((name) => [`package:${name}`, ...(leftBehind[name] ?? [])]),
  probe: (want) => packagesProbe({ names: toList(want.name), candidates: want.state === 'present' && want.offline !== true }),
  parse: ({ stdout }) => parsePackages(stdout),
  plan: (seen, want, { facts }) => {
    const found = facts.packageManager === 'dnf' ? seen.dnf : seen.apt;
    if (want.hold === true && found.noHold !== '') throw cannotHold(found);
    if (facts.packageManager === 'dnf' && want.version !== undefined && !want.version.includes('-')) throw noRelease(want.version);
    const work = want.state === 'present' ? install(found, want, facts) : remove(found, want, facts);
    if (want.hold === undefined) return work;
    // What is held at a version that this step replaces is let go before, and held again afterwards.
    const names = toList(want.name);
    const free = kept(found, want.hold ? names.filter((name) => !isRight(found.installed.get(name), want)) : names);
    return [...releaseChange(free, facts), ...work, ...(want.hold ? holdChange(found, { names, released: free }, facts) : [])];
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

function install(found: SeenPackages, want: Want, facts: Facts): readonly Change[] {
  const { installed, candidates } = found;
  const names = toList(want.name).filter((name) => !isRight(installed.get(name), want));
  if (names.length === 0) return [];
  refuseHeld(kept(found, names), want);
  const wanted = names.map((name) => ({ name, version: want.version ?? candidates.get(name) }));
  const old = names.filter((name) => installed.has(name));
  const bundle = want.offline === true && offlineBundle(want, facts);
  return [
    {
      id: `install:${names.join(',')}`,
      title: `install ${names.map((name) => [name, want.version].filter(Boolean).join(' ')).join(', ')}`,
      was: old.map((name) => `${name} ${installed.get(name)}\n`).join(''),
      will: wanted.map(({ name, version }) => `${name} ${version ?? `(${bundle ? `of ${bundle.key}` : 'newest available'})`}\n`).join(''),
      run: bundle
        ? installBundle(bundle.key, facts, wanted, old.length > 0)
        : installPackages(facts.packageManager, wanted, { anyDirection: old.length > 0 }),
      ...(bundle && { consumes: bundle }),
      unless: allInstalled(names, want.version, facts),
      timeout: 1800,
      ...(old.length > 0 && { risk: 'restart' as const }),
    },
  ];
}

/** All packages of the step, whichever this host has already: the same bundle for every host. */
function offlineBundle({ name, version, on = 'first', edition = '' }: Want, facts: Facts): Artefact {
  if (facts.packageManager === 'none')
    throw refuse('this host has neither apt-get nor dnf', 'install the packages by hand, and leave this step out there');
  return bundleArtefact({ packages: toList(name).map((each) => ({ name: each, version })), on, edition }, facts);
}

/** dnf leaves an epoch of 0 out. */
function isRight(installed: string | undefined, { version }: Want): boolean {
  return installed !== undefined && (version === undefined || version.replace(/^0:/, '') === installed.replace(/^0:/, ''));
}

function allInstalled(names: readonly string[], version: string | undefined, { packageManager }: Facts): Sh {
  if (packageManager === 'dnf') {
    if (version === undefined) return sh`rpm -q -- ${names} >/dev/null 2>&1`;
    return sh`version=$(rpm -q --qf '%{EVR}' -- ${names} 2>/dev/null); [ "\${version#0:}" = ${version.replace(/^0:/, '')} ]`;
  }
  if (version !== undefined)
    return sh`[ "$(dpkg-query -W -f='\${db:Status-Status} \${Version}' -- ${names} 2>/dev/null)" = ${`installed ${version}`} ]`;
  return sh`[ "$(dpkg-query -W -f='\${db:Status-Status}\\n' -- ${names} 2>/dev/null | grep -cx installed)" -ge ${names.length} ]`;
}

function remove(found: SeenPackages, want: Want, facts: Facts): readonly Change[] {
  const { installed } = found;
  const present = toList(want.name).filter((name) => installed.has(name));
  if (present.length === 0) return [];
  if (facts.packageManager === 'apt') refuseHeld(kept(found, present), want);
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

function noRelease(version: string): Error {
  return refuse(
    `${version} is not the whole version of a package of dnf: it has no release`,
    'write it as rpm -q --qf "%{EVR}" prints it: 1.20.1-14.el9',
  );
}
