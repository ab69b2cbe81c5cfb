/**
 * Open-file limits in the three places that matter. pam_limits reads /etc/security for logins only: a service gets its limit from
 * its unit, and a running process keeps what it started with until somebody changes it.
 */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, type PlanContext, refuse, type Sh, sh } from '../task.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { parseUnitLimits, raiseLimits, type UnitLimits, unitLimitsProbe } from './support/systemd/unit-limits.ts';

const count = z.number().int().min(1).max(2_147_483_584);

const params = z
  .strictObject({
    domain: z
      .string()
      .regex(/^(\*|@?[a-z_][a-z0-9_-]{0,30}\$?)$/, 'a user, @ and a group, or * for every user but root')
      .describe('Whose logins: a user, `@group`, or `*` (every user but root).'),
    item: z.enum(['nofile']).default('nofile').describe('What is limited: `nofile`, the files and sockets that a process has open.'),
    soft: count.describe('What a process starts with.'),
    hard: count.describe('How far a process may raise it.'),
    units: z
      .array(z.string().regex(/^[A-Za-z0-9:_.@][A-Za-z0-9:_.@\\-]*\.service$/, 'a unit such as nginx.service'))
      .default([])
      .describe('Services that get the same limit, now and at every start: limits.conf does not reach them.'),
  })
  .refine(({ soft, hard }) => soft <= hard, { path: ['soft'], message: 'soft may not be greater than hard' });

type Want = z.infer<typeof params>;

interface Seen {
  readonly login: SeenFile;
  /** One per unit, in order. */
  readonly dropIns: readonly SeenFile[];
  readonly units: readonly UnitLimits[];
  /** fs.nr_open: no process may ask for more. */
  readonly ceiling: number | undefined;
}

export default defineTask({
  summary: 'Limits open files for logins, for services, and for the processes of these services that run now.',
  params,
  touches: (want: Want) => [`limits:${want.domain}`, ...paths(want).map((path) => `file:${path}`)],
  probe: (want: Want) => lines(filesProbe(paths(want)), ceilingProbe, unitLimitsProbe(want.units)),
  parse(output: Output, want: Want): Seen {
    const { files, rest } = parseFiles(output, paths(want));
    const [login, ...dropIns] = files as [SeenFile, ...SeenFile[]];
    const ceiling = /^ceiling (\d+)$/m.exec(rest)?.[1];
    return { login, dropIns, units: parseUnitLimits(rest, want.units), ceiling: ceiling === undefined ? undefined : Number(ceiling) };
  },
  plan(seen: Seen, want: Want, context: PlanContext): readonly Change[] {
    if (seen.ceiling !== undefined && want.hard > seen.ceiling) {
      throw refuse(`${want.hard} open files are more than this kernel allows (${seen.ceiling})`, 'raise fs.nr_open with sysctl first');
    }
    const live = seen.units.flatMap((unit) => liveChange(unit, want));
    const login = fileChange({ seen: seen.login, path: loginPath(want), content: loginText(want), makeParent: true, context });
    return [...live, ...login, ...want.units.flatMap((_, index) => unitChanges(index, seen, { want, context }))];
  },
  settled({ domain, soft, hard, units }: Want, seen: Seen): string {
    const now = (index: number) => ((seen.units[index]?.processes.length ?? 0) > 0 ? 'and in what runs now' : '(it does not run now)');
    const limit = soft === hard ? `${hard} open files` : `${soft} open files, at most ${hard},`;
    const services = units.map((unit, index) => `; ${unit} at every start ${now(index)}`).join('');
    return `${domain === '*' ? 'everybody but root' : domain} has ${limit} at login${services}`;
  },
  example: { domain: 'nginx', item: 'nofile', soft: 65536, hard: 65536, units: ['nginx.service'] },
});

/** `*` and `@` have no place in a file name. */
function loginPath({ domain, item }: Want): string {
  const who = domain === '*' ? 'all' : domain.startsWith('@') ? `group-${domain.slice(1)}` : `user-${domain}`;
  return `/etc/security/limits.d/lvsctl-${who}-${item}.conf`;
}

function dropInPath(unit: string): string {
  return `/etc/systemd/system/${unit}.d/lvsctl-limits.conf`;
}

function paths(want: Want): readonly string[] {
  return [loginPath(want), ...want.units.map(dropInPath)];
}

function loginText({ domain, item, soft, hard }: Want): string {
  return `# Written by lvsctl. For logins only; services get theirs from their units.\n${domain} soft ${item} ${soft}\n${domain} hard ${item} ${hard}\n`;
}

/** `SOFT:HARD` needs systemd 229; where both are equal, one number is the same and older ones know it. */
function dropInText({ soft, hard }: Want): string {
  return `# Written by lvsctl.\n[Service]\nLimitNOFILE=${soft === hard ? hard : `${soft}:${hard}`}\n`;
}

const ceilingProbe: Sh = sh`printf 'ceiling %s\n' "$(cat /proc/sys/fs/nr_open)"`;

const reload: Sh = sh`{ [ ! -d /run/systemd/system ] || systemctl daemon-reload; }`;

/** The drop-in; where it is right already, that systemd has read it. */
function unitChanges(index: number, seen: Seen, { want, context }: { want: Want; context: PlanContext }): readonly Change[] {
  const name = want.units[index] ?? '';
  const file = seen.dropIns[index];
  const unit = seen.units[index];
  if (!file) return [];
  const written = fileChange({ seen: file, path: dropInPath(name), content: dropInText(want), makeParent: true, context });
  if (written.length > 0) return written.map((change) => ({ ...change, run: sh`${change.run} && ${reload}` }));
  if (!unit?.loaded || (unit.soft === want.soft && unit.hard === want.hard)) return [];
  if (!unit.needsReload) throw overridden(name, unit);
  const was = `LimitNOFILE=${unit.soft}:${unit.hard}\n`;
  const will = `LimitNOFILE=${want.soft}:${want.hard}\n`;
  return [{ id: `loaded:${name}`, title: `let systemd read the limit of ${name}`, was, will, run: reload }];
}

function overridden(name: string, unit: UnitLimits): Error {
  const later = unit.dropIns.slice(unit.dropIns.indexOf(dropInPath(name)) + 1).join(', ');
  return refuse(
    `${name} has LimitNOFILE=${unit.hard} although ${dropInPath(name)} says otherwise`,
    later ? `take LimitNOFILE out of ${later}, which is read later` : `see: systemctl cat ${name}`,
  );
}

/** The main process exactly; its children (workers) may have more of their own will, but not less. */
function liveChange(unit: UnitLimits, { soft, hard }: Want): readonly Change[] {
  const wrong = unit.processes.filter((process) => {
    if (process.pid === unit.mainPid) return process.soft !== soft || process.hard !== hard;
    return process.soft < soft || process.hard < hard;
  });
  if (wrong.length === 0) return [];
  const shown = (pid: string, limits: string) => `${pid === unit.mainPid ? 'main process' : 'process'}: ${limits}\n`;
  return [
    {
      id: `live:${unit.name}`,
      title: `give the running processes of ${unit.name} ${soft} open files, at most ${hard}; no restart`,
      was: wrong.map((process) => shown(process.pid, `${process.soft}, at most ${process.hard}`)).join(''),
      will: wrong.map((process) => shown(process.pid, `${soft}, at most ${hard}`)).join(''),
      run: raiseLimits(unit.name, soft, hard),
    },
  ];
}
