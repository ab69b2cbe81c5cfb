import { z } from 'zod';
import { type Change, defineTask, lines, type PlanContext, refuse, type Sh, sh } from '../task.ts';
import { namedAccount } from './support/accounts.ts';
import { removeChange } from './support/files/file-states.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { fileContent, oneOrMore, toList } from './support/params.ts';
import { parseUnits, type ShownUnit, showUnits } from './support/systemd/show-units.ts';
import { needSystemd } from './support/systemd/unit.ts';
import { mark, serviceText, timerText } from './support/systemd/unit-text.ts';
import { verifyUnit } from './support/systemd/verify-unit.ts';

const calendar = z
  .string()
  .regex(/^[A-Za-z0-9*][A-Za-z0-9*:,./~+_ -]*$/, 'a time such as "daily", "Mon 03:00" or "*-*-* 04:30"; see: man systemd.time');
const span = z.string().regex(/^[0-9][0-9a-z. ]*$/, 'a span such as "5min" or "1h 30min"; see: man systemd.time');

const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9:_.-]{0,100}$/, 'letters, digits and "_", ":", ".", "-"')
      .refine((name) => !/\.(timer|service)$/.test(name), 'the name without an ending')
      .describe('Name of the timer and of the service that it starts.'),
    state: z.enum(['present', 'absent']).default('present').describe('`absent` stops the timer and removes both units.'),
    run: fileContent
      .refine((command) => !/\p{Co}/u.test(command), 'a command without secrets: everybody on the host may read units')
      .optional()
      .describe('Command, as sh reads it.'),
    user: namedAccount.default('root').describe('User that runs it.'),
    calendar: oneOrMore(calendar).optional().describe('When it runs, as OnCalendar of systemd: one time, or a list.'),
    every: span.optional().describe('Instead of `calendar`: how long after the start of the last run, and after a boot.'),
    persistent: z.boolean().default(true).describe('With `calendar`: runs at once after a boot what was missed meanwhile.'),
    random_delay: span.optional().describe('Runs up to this much later, differently each time, so that not all hosts begin at once.'),
  })
  .refine((want) => want.state === 'absent' || (want.run ?? '') !== '', '"state: present" needs "run"')
  .refine(
    (want) => want.state === 'absent' || (want.calendar === undefined) !== (want.every === undefined),
    'one of "calendar" and "every"',
  );

type Want = z.infer<typeof params>;

interface Seen {
  readonly files: Both<SeenFile>;
  readonly units: Both<ShownUnit>;
}

/** Of the service, and of the timer. */
type Both<Value> = readonly [Value, Value];

export default defineTask<Want, Seen>({
  summary: 'A command that systemd runs at set times: the timer and its service, started, and enabled for the next boot.',
  params,
  touches: (want) => [...pathsOf(want).map((path) => `file:${path}`), `service:${want.name}.timer`],
  probe: (want) => lines(filesProbe(pathsOf(want)), showUnits(unitsOf(want))),
  parse: (output, want) => {
    const { files, rest } = parseFiles(output, pathsOf(want));
    return { files: files as unknown as Both<SeenFile>, units: parseUnits(rest, unitsOf(want)) as unknown as Both<ShownUnit> };
  },
  plan: (seen, want, context) => {
    needSystemd(context.facts, 'the task timer');
    refuseOthers(seen, want);
    return want.state === 'absent' ? remove(seen, want) : present(seen, want, context);
  },
  settled: (want) => {
    if (want.state === 'absent') return `there is no timer ${want.name}`;
    return `${want.name}.timer is running and starts with the host: ${want.every === undefined ? toList(want.calendar ?? []).join(', ') : `every ${want.every}`}`;
  },
  example: {
    name: 'backup',
    state: 'present',
    run: '/usr/local/bin/backup --all',
    user: 'root',
    calendar: '*-*-* 03:30',
    persistent: true,
    random_delay: '10min',
  },
});

function unitsOf({ name }: Want): Both<string> {
  return [`${name}.service`, `${name}.timer`];
}

function pathsOf(want: Want): Both<string> {
  const [service, timer] = unitsOf(want);
  return [`/etc/systemd/system/${service}`, `/etc/systemd/system/${timer}`];
}

/** A name that a package or somebody else uses already: lvsctl would take the unit's place. */
function refuseOthers({ files, units }: Seen, want: Want): void {
  for (const [index, path] of pathsOf(want).entries()) {
    const elsewhere = units[index]?.path ?? '';
    const ours = files[index]?.type !== 'file' || files[index]?.content?.startsWith(mark);
    if (elsewhere !== '' && elsewhere !== path)
      throw refuse(`${unitsOf(want)[index]} is there already, from ${elsewhere}`, 'give the timer another name');
    if (!ours) throw refuse(`${path} was not written by lvsctl`, 'give the timer another name, or remove that file');
  }
}

function present(seen: Seen, want: Want, context: PlanContext): readonly Change[] {
  const [service, timer] = unitsOf(want);
  const times = {
    calendar: toList(want.calendar ?? []),
    every: want.every,
    persistent: want.persistent && want.every === undefined,
    randomDelay: want.random_delay,
  };
  const job = { name: want.name, command: want.run ?? '', user: want.user };
  const validate = (staged: Sh) => lines(verifyUnit(timer, undefined)(staged), goodTimes(times));
  const files = [
    ...unitFile(0, seen, want, { content: serviceText(job), validate: verifyUnit(service, undefined), context }),
    ...unitFile(1, seen, want, { content: timerText(job, times), validate, context }),
  ];
  return [...files, ...(files.length === 0 ? stale(seen, timer) : []), ...running(seen.units[1], timer)];
}

function stale({ units }: Seen, timer: string): readonly Change[] {
  if (!units.some((unit) => unit.stale)) return [];
  const was = 'changed on disk, not read by systemd\n';
  return [
    {
      id: `daemon-reload:${timer}`,
      title: `have systemd read ${timer} again`,
      was,
      will: 'read by systemd\n',
      run: sh`systemctl daemon-reload`,
    },
  ];
}

/** Now, and after a reboot. */
function running({ active, enabled }: ShownUnit, timer: string): readonly Change[] {
  const start = sh`systemctl start -- ${timer} && systemctl is-active --quiet -- ${timer}`;
  return [
    ...(active ? [] : [{ id: `start:${timer}`, title: `start ${timer}`, was: 'not running\n', will: 'active\n', run: start }]),
    ...(enabled
      ? []
      : [
          {
            id: `enable:${timer}`,
            title: `enable ${timer}`,
            was: 'not enabled\n',
            will: 'enabled\n',
            run: sh`systemctl enable -- ${timer}`,
          },
        ]),
  ];
}

interface UnitFile {
  readonly content: string;
  readonly validate: (staged: Sh) => Sh;
  readonly context: PlanContext;
}

/** A timer that runs goes by its new times from now on. */
function unitFile(index: 0 | 1, seen: Seen, want: Want, { content, validate, context }: UnitFile): readonly Change[] {
  const [, timer] = unitsOf(want);
  const written = fileChange({ seen: seen.files[index], path: pathsOf(want)[index], content, makeParent: true, validate, context });
  return written.map((change) => ({
    ...change,
    run: lines(
      change.run,
      sh`[ $? -eq 0 ] && systemctl daemon-reload`,
      index === 1 && sh`[ $? -eq 0 ] && systemctl try-restart -- ${timer}`,
    ),
  }));
}

/** systemd only warns of a time that it does not understand, and goes by the others. */
function goodTimes({
  calendar: times,
  every,
  randomDelay,
}: {
  readonly calendar: readonly string[];
  readonly every: string | undefined;
  readonly randomDelay: string | undefined;
}): Sh {
  const spans = [every, randomDelay].filter((each) => each !== undefined);
  return sh`case $(systemd-analyze --help 2>/dev/null) in
  *timespan*) ${lines(times.length > 0 && sh`systemd-analyze calendar -- ${times} >/dev/null || exit 1`, spans.length > 0 && sh`systemd-analyze timespan -- ${spans} >/dev/null || exit 1`)} ;;
esac`;
}

function remove({ files, units: [, timer] }: Seen, want: Want): readonly Change[] {
  const [, name] = unitsOf(want);
  const running = timer.active || timer.enabled;
  const stop: Change = {
    id: `stop:${name}`,
    title: `stop ${name}, and start it no more`,
    was: `${timer.active ? 'active' : 'not running'}, ${timer.enabled ? 'enabled' : 'not enabled'}\n`,
    will: 'not running, not enabled\n',
    run: sh`systemctl disable --now -- ${name}`,
  };
  const removed = pathsOf(want).flatMap((path, index) => removeChange(files[index] as SeenFile, path));
  const reloaded = removed.map((change) => ({ ...change, run: lines(change.run, sh`[ $? -eq 0 ] && systemctl daemon-reload`) }));
  return [...(running ? [stop] : []), ...reloaded];
}
