import { z } from 'zod';
import { type Change, defineTask, type Facts, lines, type Sh, sh } from '../task.ts';
import { namedAccount } from './support/accounts.ts';
import { cronField } from './support/cron-fields.ts';
import { removeChange } from './support/files/file-states.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { text } from './support/params.ts';
import { parseUnits, type ShownUnit, showUnits } from './support/systemd/show-units.ts';

const oneLine = text.regex(/^[^\n\r]+$/, 'one line');

const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,60}$/, 'letters, digits, "_" and "-": cron passes over files of other names')
      .describe('Name of the job; the file is /etc/cron.d/lvsctl-NAME.'),
    state: z.enum(['present', 'absent']).default('present').describe('`absent` removes the job.'),
    job: oneLine.optional().describe('Command, as sh reads it. A bare `%` is written as cron wants it.'),
    user: namedAccount.default('root').describe('User that runs it.'),
    minute: cronField('minute').describe('Minute, 0 to 59.'),
    hour: cronField('hour').describe('Hour, 0 to 23.'),
    day: cronField('day').describe('Day of the month, 1 to 31.'),
    month: cronField('month').describe('Month, 1 to 12 or its name.'),
    weekday: cronField('weekday').describe('Day of the week, 0 (Sunday) to 7 or its name.'),
    special_time: z
      .enum(['reboot', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'annually'])
      .optional()
      .describe('Instead of the five fields: a word for the time.'),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable'), oneLine.regex(/^[^"]*$/, 'no double quotes'))
      .default({})
      .describe('Variables for the job, such as PATH and MAILTO.'),
  })
  .refine((want) => (want.state === 'present') === (want.job !== undefined), '"job" goes with "state: present", and only with it')
  .refine(
    (want) => want.special_time === undefined || fields(want) === '* * * * *',
    '"special_time" stands instead of minute, hour, day, month and weekday',
  );

type Want = z.infer<typeof params>;

/** cron, as Debian, or crond, as Fedora and its relatives call it. */
const daemons = ['cron.service', 'crond.service'];

interface Seen {
  readonly file: SeenFile;
  /** Absent where there is none yet, or no systemd. */
  readonly daemon: (ShownUnit & { readonly unit: string }) | undefined;
}

export default defineTask<Want, Seen>({
  summary: 'A job that cron runs at set times, in a file of its own; and that cron itself runs, now and after a reboot.',
  params,
  touches: (want) => [`file:${pathOf(want)}`],
  probe: (want) => lines(filesProbe([pathOf(want)]), showUnits(daemons)),
  parse: (output, want) => {
    const { files, rest } = parseFiles(output, [pathOf(want)]);
    const shown = parseUnits(rest, daemons).map((unit, index) => ({ ...unit, unit: daemons[index] ?? '' }));
    return { file: files[0] as SeenFile, daemon: shown.find(({ loaded }) => loaded) };
  },
  plan: (seen, want, context) => {
    if (want.state === 'absent') return removeChange(seen.file, pathOf(want));
    const written = fileChange({ seen: seen.file, path: pathOf(want), content: contentOf(want), mode: modeOf(want), context });
    const checked = written.map((change) => ({
      ...change,
      run: lines(daemonIsThere(context.facts), change.run, startNew(seen, context.facts)),
    }));
    return [...checked, ...running(seen.daemon)];
  },
  settled: (want) => {
    if (want.state === 'absent') return `there is no cron job ${want.name}`;
    return `cron runs ${want.name} at "${timeOf(want)}" as ${want.user}`;
  },
  example: {
    name: 'backup',
    state: 'present',
    job: '/usr/local/bin/backup --all',
    user: 'root',
    minute: '30',
    hour: '3',
    day: '*',
    month: '*',
    weekday: '*',
    env: { MAILTO: 'root' },
  },
});

function pathOf({ name }: Pick<Want, 'name'>): string {
  return `/etc/cron.d/lvsctl-${name}`;
}

function fields({ minute, hour, day, month, weekday }: Record<'minute' | 'hour' | 'day' | 'month' | 'weekday', string | number>): string {
  return [minute, hour, day, month, weekday].join(' ');
}

function timeOf(want: Want): string {
  return want.special_time === undefined ? fields(want) : `@${want.special_time}`;
}

/** A job that holds a secret is for root's eyes only. */
function modeOf(want: Want): string {
  return /\p{Co}/u.test(contentOf(want)) ? '0600' : '0644';
}

/** cron makes a newline of a percent sign without a backslash. */
function contentOf(want: Want): string {
  const variables = Object.entries(want.env).map(([name, value]) => `${name}="${value}"`);
  const job = (want.job ?? '').replace(/(?<!\\)%/g, '\\%');
  return `${['# Written by lvsctl: changes are overwritten', ...variables, `${timeOf(want)} ${want.user} ${job}`].join('\n')}\n`;
}

function daemonIsThere({ packageManager }: Facts): Sh {
  const name = packageManager === 'dnf' ? 'cronie' : 'cron';
  return sh`command -v cron >/dev/null || command -v crond >/dev/null || { printf '%s\n' ${`there is no cron on this host; install the package ${name}`} >&2; exit 1; }`;
}

/** A job in a file that nobody reads is no job. */
function running(daemon: Seen['daemon']): readonly Change[] {
  if (!daemon) return [];
  const { unit, active, enabled } = daemon;
  const idle = { id: `start:${unit}`, title: `start ${unit}: without it no job runs`, was: 'not running\n', will: 'active\n' };
  const once = {
    id: `enable:${unit}`,
    title: `enable ${unit}: without it no job runs after a reboot`,
    was: 'not enabled\n',
    will: 'enabled\n',
  };
  return [
    ...(active ? [] : [{ ...idle, run: sh`systemctl start -- ${unit}` }]),
    ...(enabled ? [] : [{ ...once, run: sh`systemctl enable -- ${unit}` }]),
  ];
}

/** For a cron that an earlier step of this run has installed, and that nobody has started yet. */
function startNew(seen: Seen, { init }: Facts): Sh | false {
  return (
    init === 'systemd' &&
    !seen.daemon &&
    sh`[ $? -eq 0 ] && { systemctl enable --now -- cron.service 2>/dev/null || systemctl enable --now -- crond.service; }`
  );
}
