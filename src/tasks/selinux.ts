/** SELinux's mode now and after a reboot. Never touched unless asked; never from disabled to enforcing in one step. */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, refuse, type Sh, sh } from '../task.ts';
import { composeFile } from './support/files/compose-file.ts';
import { filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';

const states = ['untouched', 'enforcing', 'permissive', 'disabled'] as const;

const params = z.strictObject({
  state: z
    .enum(states)
    .default('untouched')
    .describe('`untouched` looks at nothing; the others are wanted now and after a reboot, as far as the running kernel can.'),
});

type Want = z.infer<typeof params>;

interface Seen {
  readonly config: SeenFile;
  /** `absent`: the running kernel has SELinux off, or not at all. */
  readonly live: 'enforcing' | 'permissive' | 'absent';
  /** Context of process 1; empty where unknown. */
  readonly init: string;
  /** A relabel waits for the next boot. */
  readonly relabel: boolean;
  /** `selinux=0` on the kernel's command line. */
  readonly offAtBoot: boolean;
}

const path = '/etc/selinux/config';
const enforce = '/sys/fs/selinux/enforce';

export default defineTask({
  summary: 'Keeps SELinux as it is (the default), or sets its mode now and for every boot.',
  params,
  touches: ({ state }: Want) => (state === 'untouched' ? [] : ['selinux:mode', `file:${path}`, 'file:/.autorelabel']),
  probe: ({ state }: Want) => (state === 'untouched' ? sh`:` : lines(filesProbe([path]), liveProbe)),
  parse,
  plan(seen: Seen, { state }: Want): readonly Change[] {
    if (state === 'untouched' || isMissing(seen)) return [];
    if (state === 'enforcing') refuseLeap(seen);
    return [...liveChange(seen, state), ...persistedChange(seen, state), ...relabelChange(seen, state)];
  },
  settled({ state }: Want, seen: Seen): string {
    if (state === 'untouched') return 'SELinux is left as it is';
    if (isMissing(seen)) return `SELinux is not there; nothing to set ${state}`;
    const now = seen.live === 'absent' ? 'off' : seen.live;
    const wanted = state === 'disabled' ? 'off' : state;
    return now === wanted ? `SELinux is ${wanted}, now and after a reboot` : `SELinux is ${now}, and ${wanted} after a reboot`;
  },
  pendingReboot,
  example: { state: 'permissive' },
});

const liveProbe: Sh = sh`printf 'enforce %s\n' "$(cat ${enforce} 2>/dev/null)"
printf 'init %s\n' "$(tr -d '\\0' 2>/dev/null </proc/1/attr/current)"
[ ! -e /.autorelabel ] || printf 'relabel\n'
case " $(cat /proc/cmdline) " in *' selinux=0 '*) printf 'off\n' ;; esac`;

function parse(output: Output): Seen {
  const { files, rest } = parseFiles(output, [path]);
  const word = (key: string) => new RegExp(`^${key} (\\S+)$`, 'm').exec(rest)?.[1] ?? '';
  const live = { '1': 'enforcing', '0': 'permissive' } as const;
  const flag = word('enforce');
  return {
    config: (files as readonly [SeenFile])[0],
    live: flag === '0' || flag === '1' ? live[flag] : 'absent',
    init: word('init'),
    relabel: /^relabel$/m.test(rest),
    offAtBoot: /^off$/m.test(rest),
  };
}

function isMissing({ config, live }: Seen): boolean {
  return live === 'absent' && config.type === 'missing';
}

/** Enforcing on files without labels shuts out everybody, ssh first. Permissive, a relabel and a reboot come before it. */
function refuseLeap({ live, init, relabel }: Seen): void {
  const way = 'set permissive, reboot, look for denials (ausearch -m avc), then set enforcing';
  if (live === 'enforcing') return;
  if (live === 'absent')
    throw refuse('SELinux is off in the running kernel; from disabled to enforcing in one run locks everybody out', way);
  if (relabel) throw refuse('SELinux cannot be enforcing yet: a relabel of all files waits for the next reboot', way);
  if (/:(kernel|unlabeled)_t(:|$)/.test(init)) {
    throw refuse(`SELinux cannot be enforcing yet: process 1 runs as ${init}, so files have no labels`, `touch /.autorelabel; ${way}`);
  }
}

/** A running kernel can be made permissive, but not be rid of SELinux. */
function liveChange({ live }: Seen, state: Want['state']): readonly Change[] {
  const mode = state === 'enforcing' ? 'enforcing' : 'permissive';
  if (live === 'absent' || live === mode) return [];
  const flag = mode === 'enforcing' ? '1' : '0';
  return [
    {
      id: 'live:mode',
      title: `make SELinux ${mode} now; it is ${live}`,
      was: `${live}\n`,
      will: `${mode}\n`,
      unless: sh`[ "$(cat ${enforce})" = ${flag} ]`,
      run: sh`printf %s ${flag} >${enforce}`,
      ...lockout(state),
      ...(state === 'enforcing' && { undo: sh`printf %s 0 >${enforce}` }),
    },
  ];
}

function persistedChange({ config }: Seen, state: Want['state']): readonly Change[] {
  const was = config.content ?? '';
  if (modeIn(was) === state) return [];
  if (config.type !== 'file' && config.type !== 'missing')
    throw refuse(`${path} is no regular file but a ${config.type}`, 'put the file there');
  const will = `SELINUX=${state}`;
  const edit = `/^SELINUX=/ { if (!done) print will; done = 1; next } { print } END { if (!done) print will }`;
  return [
    {
      id: 'persisted:mode',
      title: `make SELinux ${state} at every boot, in ${path}`,
      was,
      will: withMode(was, will),
      run: composeFile({ path, makeParent: true }, sh`{ [ ! -e ${path} ] || cat ${path}; } | awk -v ${`will=${will}`} ${edit}`),
      ...lockout(state),
    },
  ];
}

function lockout(state: Want['state']): Pick<Change, 'risk'> {
  return state === 'enforcing' ? { risk: 'lockout' } : {};
}

/** The first line with a known word decides (`selinux_getenforcemode` of libselinux). */
function modeIn(config: string): string | undefined {
  return /^SELINUX=\s*(enforcing|permissive|disabled)/im.exec(config)?.[1]?.toLowerCase();
}

/** The first line that says a mode says the wanted one, further ones go, all else stays. */
function withMode(config: string, will: string): string {
  const before = config.split('\n').filter((line, index, all) => index < all.length - 1 || line !== '');
  const first = before.findIndex((line) => line.startsWith('SELINUX='));
  const after = before.flatMap((line, index) => (line.startsWith('SELINUX=') ? (index === first ? [will] : []) : [line]));
  return [...after, ...(first < 0 ? [will] : [])].map((line) => `${line}\n`).join('');
}

/** What was created while SELinux was off has no label. */
function relabelChange({ live, relabel }: Seen, state: Want['state']): readonly Change[] {
  if (live !== 'absent' || relabel || state !== 'permissive') return [];
  return [
    { id: 'persisted:relabel', title: 'label all files at the next boot', was: '', will: '/.autorelabel\n', run: sh`: >/.autorelabel` },
  ];
}

function pendingReboot(seen: Seen, { state }: Want): readonly string[] {
  if (state === 'disabled' && seen.live !== 'absent') return ['SELinux stays loaded, permissive, until a reboot'];
  if (state !== 'permissive' || seen.live !== 'absent' || isMissing(seen)) return [];
  const blocked = seen.offAtBoot ? '; first take selinux=0 off the kernel command line' : '';
  return [`SELinux begins, permissive, with a reboot, which labels all files and takes long${blocked}`];
}
