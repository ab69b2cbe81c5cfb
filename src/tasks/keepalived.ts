/** One word in a playbook: the configuration of keepalived, and that the running one has read it. */
import { type Change, defineTask, lines, type PlanContext, refuse, type Sh, sh } from '../task.ts';
import { asItCameProbe, isAsItCame, refuseForeignFile } from './support/files/ownership.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { rulesPath } from './support/ipvs/rule-files.ts';
import { keepalivedConf } from './support/keepalived/conf.ts';
import { refuseOlder } from './support/keepalived/keywords.ts';
import { refuseMoved } from './support/keepalived/moved-vips.ts';
import { exampleService, exampleVrrp, type KeepalivedWant, keepalivedParams } from './support/keepalived/params.ts';
import { configPath, keepalivedHandlers, keepalivedState, reloadKeepalived, validConfig } from './support/keepalived/process.ts';
import { alarmPath, alarmScript, scriptsAreThere, shippedScripts } from './support/keepalived/scripts.ts';
import { parseVersion, type SeenVersion, versionFor, versionProbe } from './support/keepalived/version.ts';
import { type Heard, newcomers, notLooked, parseHeard, refuseForeign, vridProbe } from './support/keepalived/vrid-listen.ts';
import { sharedPart } from './support/keepalived/vrrp.ts';

interface SeenKeepalived {
  readonly file: SeenFile;
  /** The script that asks whether there are two masters; absent where none is wanted. */
  readonly alarm: SeenFile | undefined;
  readonly version: SeenVersion;
  /** Whether the running process has read the file that is there. */
  readonly process: 'none' | 'loaded' | 'pending';
  /** What was heard of other routers; absent where the keepalived that runs has every VRID already. */
  readonly heard: Heard | undefined;
  /** The configuration is what the package has brought. */
  readonly asItCame: boolean;
  /** Virtual servers in the kernel's table that neither keepalived nor the rules of lvsctl have made. */
  readonly foreignRows: number;
}

export default defineTask<KeepalivedWant, SeenKeepalived>({
  summary:
    'Writes keepalived.conf for this director (VRRP and virtual servers) and has the running keepalived read it, without a restart. Before keepalived first has a VRID it listens whether somebody else has it. Scripts that it names are put on the host by steps before.',
  params: keepalivedParams,
  // It loads ip_vs by itself when it starts.
  touches: (want) => ['module:ip_vs', ...connector(want), ...pathsOf(want).map((path) => `file:${path}`), 'service:keepalived.service'],
  needs: () => ['package:keepalived'],
  probe: (want) =>
    lines(
      filesProbe(pathsOf(want)),
      versionProbe,
      keepalivedState,
      sh`printf 'process %s\n' "$state"
held=''
if [ "$state" = none ]; then`,
      tableProbe,
      sh`else held=${configPath}
fi`,
      vridProbe(want.vrrp.instances),
      asItCameProbe(configPath),
    ),
  parse: (output, want) => {
    const { files, rest } = parseFiles(output, pathsOf(want));
    const process = /^process (loaded|pending)$/m.exec(rest)?.[1];
    return {
      file: files[0] as SeenFile,
      alarm: files[1],
      version: parseVersion(rest),
      process: process === 'loaded' || process === 'pending' ? process : 'none',
      heard: parseHeard(rest),
      asItCame: isAsItCame(rest),
      foreignRows: Number(/^table (\d+)$/m.exec(rest)?.[1] ?? 0),
    };
  },
  plan: (seen, want, context) => {
    const { facts, same } = context;
    const version = versionFor(seen.version, facts, want.version);
    refuseOlder(version, want);
    refuseForeignFile(seen.file, configPath, seen.asItCame, context);
    refuseForeignTable(seen, context);
    if (seen.heard) refuseForeign(seen.heard, listenedFor(seen, want), context);
    const content = keepalivedConf(want, version);
    if (seen.process !== 'none') refuseMoved(seen.file.content ?? '', content);
    const split = seen.process !== 'none' && seen.file.content !== undefined && !same(sharedPart(seen.file.content), sharedPart(content));
    const changes = fileChange({
      seen: seen.file,
      path: configPath,
      content,
      mode: '0640',
      validate: (staged) => valid(staged, want),
      notify: ['keepalived.reload'],
      ...(split && { risk: 'split' as const }),
      context: { same },
    });
    const reload = changes.length === 0 && seen.process === 'pending' ? [reloadChange(want)] : [];
    const unsure = notLooked(seen.heard, listenedFor(seen, want));
    const all = [...alarmChange(seen.alarm, want, same), ...changes, ...reload];
    return all.map((change, index) => (index === 0 && unsure !== '' ? { ...change, title: `${change.title}; ${unsure}` } : change));
  },
  settled: (want, seen) => {
    const { services } = want;
    const held = `${configPath} holds ${services.length === 1 ? 'the service' : `the ${services.length} services`} as wanted`;
    return [seen.process === 'loaded' ? `${held}, and keepalived has loaded it` : held, notLooked(seen.heard, listenedFor(seen, want))]
      .filter(Boolean)
      .join('; ');
  },
  handlers: (want) => keepalivedHandlers(valid(sh`${configPath}`, want)),
  example: { router_id: 'dr1', vrrp: exampleVrrp, priorities: { lvs: 100 }, services: [exampleService] },
});

/** Beside a keepalived that runs, those that are new to it: what it has was looked for when it was. */
function listenedFor({ process, file: { content = '' } }: SeenKeepalived, { vrrp: { instances } }: KeepalivedWant) {
  return process === 'none' ? instances : newcomers(instances, content);
}

/** What a keepalived that was killed has left is its own. */
const tableProbe = sh`[ ! -r /proc/net/ip_vs ] || [ -e ${rulesPath} ] || printf 'table %s\n' "$(grep -cE '^(TCP|UDP|SCTP|FWM) ' /proc/net/ip_vs)"`;

function refuseForeignTable({ file, foreignRows }: SeenKeepalived, { takeOver }: Pick<PlanContext, 'takeOver'>): void {
  if (file.type !== 'missing' || foreignRows === 0 || takeOver) return;
  throw refuse(
    `the kernel has ${foreignRows === 1 ? 'a virtual server' : `${foreignRows} virtual servers`} that nothing of lvsctl has made, and keepalived would empty the table`,
    'see "ipvsadm -Ln"; take away what made them, or deploy with --take-over',
  );
}

/** The kernel tells of processes through a module that keepalived has loaded. */
function connector({ vrrp: { instances } }: KeepalivedWant): readonly string[] {
  return instances.some(({ trackProcesses }) => trackProcesses.length > 0) ? ['module:cn'] : [];
}

function pathsOf({ vrrp: { alarm } }: KeepalivedWant): readonly string[] {
  return alarm === undefined ? [configPath] : [configPath, alarmPath];
}

/** Ours comes before the configuration that names it. */
function alarmChange(seen: SeenFile | undefined, { vrrp: { alarm } }: KeepalivedWant, same: (seen: string, want: string) => boolean) {
  if (alarm === undefined || !seen) return [];
  return fileChange({ seen, path: alarmPath, content: alarmScript(alarm), mode: '0755', makeParent: true, context: { same } });
}

function valid(path: Sh, want: KeepalivedWant): Sh {
  return lines(scriptsAreThere(shippedScripts(want)), validConfig(path));
}

function reloadChange(want: KeepalivedWant): Change {
  return {
    id: 'live:reload',
    title: 'reload keepalived: it runs with an older configuration',
    was: 'running with an older configuration\n',
    will: `running with ${configPath}\n`,
    unless: lines(keepalivedState, sh`[ "$state" != pending ]`),
    validate: valid(sh`${configPath}`, want),
    run: reloadKeepalived,
  };
}
