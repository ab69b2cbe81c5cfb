/** One word in a playbook: ipvsadm compiled from source once, and that binary installed. */
import { z } from 'zod';
import { type Artefact, defineTask, type Facts, lines, sh } from '../task.ts';
import { beginBuild, installMissing, onlyBelow, packResult, unpackSource } from './support/source/build.ts';
import { installedProbe, installLibraries, isInstalled, openBuild, parseInstalled, type SeenInstall } from './support/source/install.ts';
import { buildPlatform, shortHash } from './support/source/platform.ts';
import {
  isLinked,
  linksAreThere,
  parseProgram,
  placeProgram,
  programProbe,
  programTouches,
  refuseOthers,
  type SeenProgram,
  sourceParams,
} from './support/source/program.ts';

/** Raise it when the same inputs give another tar.gz, so that no cache holds an older one for right. */
const recipe = 1;
const binary = 'sbin/ipvsadm';
const programs = [binary, 'sbin/ipvsadm-save', 'sbin/ipvsadm-restore'];

const params = z.strictObject({
  version: z
    .string()
    .regex(/^\d{1,3}\.\d{1,3}$/, 'a version such as 1.31')
    .describe('Version of ipvsadm'),
  ...sourceParams,
});

type Want = z.output<typeof params>;

/** ipvsadm itself is not asked: whatever it is called with, it loads the kernel's module first. */
type Seen = SeenInstall & SeenProgram;

export default defineTask<Want, Seen>({
  summary: 'Compiles ipvsadm from source once for all hosts of a kind, and installs the result.',
  params,
  touches: ({ prefix }) => [...programTouches({ prefix, programs }), 'package:ipvsadm'],
  probe: ({ prefix }) => lines(installedProbe({ prefix, binary }), programProbe('ipvsadm', { prefix, programs })),
  parse: ({ stdout }) => ({ ...parseInstalled(stdout), ...parseProgram(stdout) }),
  plan: (seen, want, { facts }) => {
    const program = { prefix: want.prefix, programs };
    refuseOthers('ipvsadm', seen, program, 'which of two is meant would depend on the PATH');
    const artefact = ipvsadmArtefact(want, facts);
    const linked = isLinked(seen, program);
    if (seen.key === artefact.key && !seen.replaced && linked) return [];
    const install = { prefix: want.prefix, key: artefact.key, manager: facts.packageManager, binary };
    const wrong = [seen.replaced && 'the binary is not the one that was installed', !linked && 'not in the PATH'].filter(Boolean);
    return [
      {
        id: 'install',
        title: `install ipvsadm ${want.version} in ${want.prefix}`,
        was: seen.present
          ? `from ${seen.key === undefined ? 'a build of somebody else' : `build ${seen.key}`}\n${wrong.map((line) => `(${line})\n`).join('')}`
          : '',
        will: `from build ${artefact.key}\n`,
        run: lines(
          sh`(`,
          openBuild(install),
          installLibraries(install.manager),
          sh`! ldd "$binary" | grep 'not found' >&2 || fail 'the built ipvsadm does not run on this host'`,
          placeProgram(install, program),
          sh`)`,
        ),
        unless: lines(sh`(`, linksAreThere(program), isInstalled(install), sh`)`),
        timeout: 600,
        consumes: artefact,
      },
    ];
  },
  settled: ({ version, prefix }) => `ipvsadm ${version} is already built and installed in ${prefix}`,
  example: {
    version: '1.31',
    sha256: '7276bcf214f31051188b2e44f11029e57303f37e54126e517000c1b2123a6d4e',
    sources: ['debian-source:ipvsadm', 'https://www.kernel.org/pub/linux/utils/kernel/ipvsadm/ipvsadm-1.31.tar.gz'],
    prefix: '/usr/local/ipvsadm',
  },
});

const buildPackages = {
  apt: ['gcc', 'make', 'libc6-dev', 'pkg-config', 'libnl-3-dev', 'libnl-genl-3-dev', 'libpopt-dev'],
  dnf: ['gcc', 'make', 'glibc-devel', 'pkgconf-pkg-config', 'libnl3-devel', 'popt-devel'],
} as const;

/** It has no configure, and its makefile does not survive several jobs at once. The init script is of no use. */
function ipvsadmArtefact(want: Want, facts: Facts): Artefact {
  const packages = want.build_packages ?? buildPackages[facts.packageManager === 'dnf' ? 'dnf' : 'apt'];
  const key = `ipvsadm-${want.version}-${buildPlatform(facts)}-${shortHash([recipe, want.sha256, want.prefix, want.build_packages ?? []])}`;
  return {
    key,
    title: `build ipvsadm ${want.version}`,
    sources: [{ sha256: want.sha256, name: `ipvsadm-${want.version}.tar.gz`, from: want.sources }],
    build: lines(
      sh`(`,
      beginBuild(`ipvsadm ${want.version}`, key),
      installMissing(facts.packageManager, packages),
      unpackSource(want.sha256, 'Makefile'),
      sh`make >>"$log" 2>&1 || fail 'make failed'
root=$work/out/tree${want.prefix}
make install BUILD_ROOT="$root" MANDIR=share/man >>"$log" 2>&1 && rm -rf -- "\${root:?}/etc" || fail 'make install failed'`,
      onlyBelow(want.prefix),
      packResult(facts.packageManager, key),
      sh`)`,
    ),
    timeout: 1800,
  };
}
