/** One word in a playbook: keepalived compiled from source once, that binary installed, and the unit that runs it. */
import { posix } from 'node:path';
import { z } from 'zod';
import { type Change, defineTask, type Facts, lines, type PlanContext, refuse, sh } from '../task.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { binaryProbe, restartHandler } from './support/keepalived/binary.ts';
import { configureArguments, keepalivedArtefact, keepalivedFlag, keepalivedUnit } from './support/keepalived/build.ts';
import { configPath } from './support/keepalived/process.ts';
import { sameFlags, splitArguments } from './support/source/configure.ts';
import { installedProbe, installLibraries, isInstalled, openBuild, parseInstalled, type SeenInstall } from './support/source/install.ts';
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
import { needSystemd, parseUnit, type SeenUnit, unitProbe } from './support/systemd/unit.ts';
import { verifyUnit } from './support/systemd/verify-unit.ts';
import { atLeast } from './support/version.ts';

const unit = 'keepalived.service';
const unitPath = `/etc/systemd/system/${unit}`;
const binary = 'sbin/keepalived';
const programs = [binary];

const params = z.strictObject({
  version: z
    .string()
    .regex(/^\d{1,3}\.\d{1,3}\.\d{1,3}$/, 'a version such as 2.2.7')
    .refine((version) => !/^[\d.]+$/.test(version) || atLeast(version, '2.0.4'), {
      error: 'versions below 2.0.4 cannot test a configuration (-t), so none could be put in force safely; take 2.0.4 or later',
    })
    .describe('Version of keepalived, 2.0.4 or later'),
  ...sourceParams,
  configure: z.array(keepalivedFlag).max(100).describe("Words for keepalived's configure, without prefix and sysconfdir"),
});

type Want = z.output<typeof params>;

interface Seen extends SeenInstall, SeenProgram {
  /** Absent where none is installed or the installed one does not start. */
  readonly version: string | undefined;
  readonly arguments: readonly string[];
  /** Whether the process runs the installed binary. */
  readonly process: 'none' | 'current' | 'old';
  readonly unitFile: SeenFile;
  readonly unit: SeenUnit;
}

export default defineTask<Want, Seen>({
  summary:
    'Compiles keepalived from source once for all hosts of a kind, installs the result with its unit, and restarts only what runs an older binary.',
  params,
  touches: ({ prefix }) => [
    ...programTouches({ prefix, programs }),
    'package:keepalived',
    `file:${unitPath}`,
    `unit:${unit}`,
    `directory:${posix.dirname(configPath)}`,
  ],
  probe: ({ prefix }) =>
    lines(
      filesProbe([unitPath]),
      installedProbe({ prefix, binary }),
      sh`[ ! -f "$binary" ] || "$binary" -v 2>&1 | while IFS= read -r line; do printf 'says %s\n' "$line"; done`,
      programProbe('keepalived', { prefix, programs }),
      unitProbe(unit),
      binaryProbe(prefix),
    ),
  parse: (output) => {
    const { files, rest } = parseFiles(output, [unitPath]);
    const process = /^binary (current|old)$/m.exec(rest)?.[1];
    return {
      ...parseInstalled(rest),
      ...parseProgram(rest),
      version: /^says Keepalived v(\d+\.\d+\.\d+)/m.exec(rest)?.[1],
      arguments: splitArguments(/^says configure options: (.*)$/m.exec(rest)?.[1] ?? ''),
      process: process === 'current' || process === 'old' ? process : 'none',
      unitFile: files[0] as SeenFile,
      unit: parseUnit({ stdout: rest }),
    };
  },
  plan: (seen, want, context) => {
    needSystemd(context.facts, 'the task keepalived_source');
    refuseOthers('keepalived', seen, { ...want, programs }, 'two of them would fight over the unit and the VIPs');
    const install = installation(seen, want, context.facts);
    const changes = [...install, ...unitChanges(seen, want, context)];
    return install.length === 0 && seen.process === 'old' ? [...changes, restartChange(want)] : changes;
  },
  settled: ({ version, configure, prefix }) =>
    `keepalived ${version} ${configure.length === 0 ? 'without flags' : `with ${configure.length === 1 ? 'this flag' : `these ${configure.length} flags`}`} is already built and installed in ${prefix}`,
  handlers: ({ prefix }) => ({ 'keepalived.restart': restartHandler(prefix) }),
  example: {
    version: '2.2.7',
    sha256: 'c61940d874154a560a54627ecf7ef47adebdf832164368d10bf242a4d9b7d49d',
    sources: ['debian-source:keepalived', 'https://www.keepalived.org/software/keepalived-2.2.7.tar.gz'],
    configure: ['--enable-json'],
    prefix: '/usr/local/keepalived',
  },
});

function installation(seen: Seen, want: Want, facts: Facts): readonly Change[] {
  const artefact = keepalivedArtefact(want, facts);
  const same = seen.version === want.version && sameFlags(seen.arguments, configureArguments(want));
  const ours = !seen.replaced && (seen.key === undefined || seen.key === artefact.key);
  const program = { prefix: want.prefix, programs };
  if (same && ours && isLinked(seen, program)) return [];
  const install = { prefix: want.prefix, key: artefact.key, manager: facts.packageManager, binary };
  return [
    {
      id: 'install',
      title: `install keepalived ${want.version} in ${want.prefix}`,
      was: shown(seen, program),
      will: listed(want.version, configureArguments(want), artefact.key),
      run: lines(
        sh`(`,
        openBuild(install),
        installLibraries(install.manager),
        sh`"$binary" -v >/dev/null 2>&1 || { ldd "$binary" >&2 || :; fail 'the built keepalived does not run on this host'; }`,
        placeProgram(install, program),
        sh`[ -d ${posix.dirname(configPath)} ] || mkdir -- ${posix.dirname(configPath)} || exit 1
"$prefix"/${binary} -v 2>&1 | head -n 1
)`,
      ),
      unless: lines(sh`(`, linksAreThere(program), isInstalled(install), sh`)`),
      timeout: 600,
      notify: ['keepalived.restart'],
      consumes: artefact,
    },
  ];
}

function unitChanges(seen: Seen, want: Want, { same }: PlanContext): readonly Change[] {
  if (seen.unit.load === 'masked')
    throw refuse(`${unit} is masked: somebody has decided that it does not start`, `systemctl unmask ${unit}`);
  const validate = verifyUnit(unit, undefined);
  const written = fileChange({ seen: seen.unitFile, path: unitPath, content: keepalivedUnit(want), validate, context: { same } });
  if (written.length > 0)
    return written.map((change) => ({ ...change, run: lines(change.run, sh`[ $? -eq 0 ] && systemctl daemon-reload`) }));
  if (!seen.unit.stale) return [];
  return [
    {
      id: `daemon-reload:${unit}`,
      title: `have systemd read ${unit} again`,
      was: 'changed on disk, not read by systemd\n',
      will: 'read by systemd\n',
      run: sh`systemctl daemon-reload`,
    },
  ];
}

function restartChange({ prefix, version }: Want): Change {
  return {
    ...restartHandler(prefix),
    id: 'live:restart',
    title: `restart keepalived: it runs another binary than the installed ${version}`,
    was: 'running: another binary\n',
    will: `running: keepalived ${version}\n`,
    risk: 'restart',
  };
}

/** What the diff shows of the host: version and flags, and what is wrong where those are right. */
function shown(seen: Seen, program: { readonly prefix: string; readonly programs: readonly string[] }): string {
  if (!seen.present) return '';
  const replaced = seen.replaced ? '(the binary is not the one that was installed)\n' : '';
  const unlinked = isLinked(seen, program) ? '' : '(not in the PATH)\n';
  if (seen.version === undefined) return `(a binary that does not start)\n${unlinked}`;
  return `${listed(seen.version, seen.arguments, seen.key)}${replaced}${unlinked}`;
}

function listed(version: string, flags: readonly string[], build: string | undefined): string {
  const from = build === undefined ? [] : [`from build ${build}`];
  return [`keepalived ${version}`, ...[...flags].sort(), ...from].map((line) => `${line}\n`).join('');
}
