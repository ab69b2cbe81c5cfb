import { z } from 'zod';
import { defineTask, type Sh, sh } from '../task.ts';
import { absolutePath, text } from './support/params.ts';
import { userShell } from './support/user-shell.ts';

const params = z
  .strictObject({
    run: text.min(1).describe('Command, as POSIX sh reads it; run as root, with nothing on its standard input.'),
    creates: absolutePath.optional().describe('Path that is there once the command has done its work.'),
    unless: text.min(1).optional().describe('Command that changes nothing and exits 0 once there is nothing to do.'),
    timeout: z.int().min(1).max(86_400).default(60).describe('Seconds after which the command is stopped.'),
  })
  .refine(
    (want) => (want.creates === undefined) !== (want.unless === undefined),
    'one of "creates" and "unless": without it nobody could tell whether the command has been run',
  );

type Want = z.infer<typeof params>;

interface Seen {
  readonly done: boolean;
}

const handlerParams = z.strictObject({
  run: text.min(1).describe('Command, as POSIX sh reads it; run as root, with nothing on its standard input.'),
  unless: text.min(1).optional().describe('Command that exits 0 when the handler need not run.'),
  validate: text.min(1).optional().describe('Command that must exit 0 before the handler may run.'),
  timeout: z.int().min(1).max(86_400).default(60).describe('Seconds after which the command is stopped.'),
});

export default defineTask<Want, Seen>({
  summary: 'A command, run until what it is for is there. Prefer a task that knows its subject: it shows a difference, this cannot.',
  params,
  touches: (want) => (want.creates === undefined ? [] : [`file:${want.creates}`]),
  probe: (want) => sh`if ${isDone(want)}; then printf 'done\n'; fi`,
  parse: ({ stdout }) => ({ done: stdout === 'done\n' }),
  plan: (seen, want, { later }) =>
    seen.done && !later
      ? []
      : [
          {
            id: 'run',
            title: `run ${firstLine(want.run)}`,
            was: '',
            will: want.run.endsWith('\n') ? want.run : `${want.run}\n`,
            run: sh`${userShell(want.run)} </dev/null`,
            unless: isDone(want),
            timeout: want.timeout,
          },
        ],
  settled: (want) =>
    want.creates === undefined ? `"${firstLine(want.unless ?? '')}" says that nothing is to be done` : `${want.creates} is there`,
  asHandler: {
    params: handlerParams,
    make: ({ run, unless, validate, timeout }: z.infer<typeof handlerParams>) => ({
      run: sh`${userShell(run)} </dev/null`,
      ...(unless !== undefined && { unless: sh`${userShell(unless)} >/dev/null 2>&1 </dev/null` }),
      ...(validate !== undefined && { validate: sh`${userShell(validate)} </dev/null` }),
      timeout,
    }),
  },
  example: {
    run: 'openssl dhparam -out /etc/ssl/dhparam.pem 2048',
    creates: '/etc/ssl/dhparam.pem',
    timeout: 600,
  },
});

function isDone(want: Want): Sh {
  if (want.creates !== undefined) return sh`[ -e ${want.creates} ]`;
  return sh`${userShell(want.unless ?? 'false')} >/dev/null 2>&1 </dev/null`;
}

/** A command as a title: its first line, not too long. */
function firstLine(command: string): string {
  const [line = ''] = command.trim().split('\n');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
