import { z } from 'zod';
import { defineTask, refuse, type Sh, sh } from '../task.ts';
import { absolutePath, text } from './support/params.ts';
import { unitName, unitOf } from './support/systemd/unit.ts';
import { waitUntil } from './support/wait.ts';

const params = z
  .strictObject({
    port: z.int().min(1).max(65_535).optional().describe('TCP port that is to take connections (`started`) or to take none (`stopped`).'),
    host: z
      .string()
      .regex(/^[A-Za-z0-9:][A-Za-z0-9:._-]*$/, 'an address or a name')
      .optional()
      .describe('With `port`: the address or name that is asked, seen from the host; 127.0.0.1 unless said.'),
    path: absolutePath.optional().describe('File or folder that is to be there (`present`) or not (`absent`).'),
    contains: text
      .regex(/^[^\n]+$/, 'text of one line')
      .optional()
      .describe('With `path`: text that a line of the file is to contain.'),
    unit: unitName
      .optional()
      .describe('Unit of systemd that is to be active (`started`) or not (`stopped`); without an ending it is a service.'),
    process: z
      .string()
      .regex(/^[^\s/()]{1,15}$/, 'the name of a process, at most 15 characters: the kernel keeps no more')
      .optional()
      .describe('Name of a process that is to run (`started`) or not (`stopped`), as `ps -o comm` shows it.'),
    state: z
      .enum(['started', 'stopped', 'present', 'absent'])
      .optional()
      .describe('`present` or `absent` with `path`, otherwise `started` or `stopped`; the first of the two unless said.'),
    timeout: z.int().min(1).max(3600).default(60).describe('Seconds after which the step fails.'),
    delay: z.int().min(1).max(60).default(1).describe('Seconds between two looks.'),
  })
  .refine((want) => subjects.filter((key) => want[key] !== undefined).length === 1, 'one of "port", "path", "unit" and "process"')
  .refine((want) => want.host === undefined || want.port !== undefined, '"host" goes with "port"')
  .refine(
    (want) => want.contains === undefined || (want.path !== undefined && !gone(want)),
    '"contains" goes with "path", and not with "state: absent"',
  )
  .refine(
    (want) => want.state === undefined || ['present', 'absent'].includes(want.state) === (want.path !== undefined),
    '"state" is "present" or "absent" with "path", and "started" or "stopped" with the others',
  );

const subjects = ['port', 'path', 'unit', 'process'] as const;

type Want = z.infer<typeof params>;

interface Seen {
  readonly over: boolean;
  readonly noBash: boolean;
}

export default defineTask<Want, Seen>({
  summary:
    'Waits until a port answers, a path is there, a unit or a process runs, or none of it any more. Changes nothing, and fails when it takes too long.',
  params,
  touches: () => [],
  needs: (want) => {
    if (want.path !== undefined) return [`file:${want.path}`];
    return want.unit === undefined ? [] : [`service:${unitOf(want.unit)}`];
  },
  probe: (want) => sh`${want.port === undefined ? sh`:` : sh`command -v bash >/dev/null || printf 'no bash\n'`}
if ${isOver(want)}; then printf 'over\n'; fi`,
  parse: ({ stdout }) => ({ over: /^over$/m.test(stdout), noBash: /^no bash$/m.test(stdout) }),
  plan: (seen, want) => {
    if (seen.noBash) throw refuse('a port is asked with bash, which this host does not have', 'wait for the unit or the process instead');
    if (seen.over) return [];
    return [
      {
        id: 'wait',
        title: `wait until ${sentence(want)}`,
        was: `${sentence(want, true)}\n`,
        will: `${sentence(want)}\n`,
        run: waitUntil({
          ...want,
          until: isOver(want),
          looks: Math.ceil(want.timeout / want.delay) + 1,
          complaint: sh`printf '%s\n' ${`after ${want.timeout} s: ${sentence(want, true)}`} >&2`,
        }),
        unless: isOver(want),
        timeout: want.timeout + 30,
      },
    ];
  },
  settled: (want) => sentence(want),
  example: { port: 80, host: '127.0.0.1', state: 'started', timeout: 30, delay: 1 },
});

function gone({ state }: { readonly state?: string | undefined }): boolean {
  return state === 'stopped' || state === 'absent';
}

/** Exits 0 when there is nothing to wait for. No look takes longer than two seconds. */
function isOver(want: Want): Sh {
  const holds = asked(want);
  return gone(want) ? sh`! ${holds}` : holds;
}

function asked({ port, host = '127.0.0.1', path, contains, unit, process = '' }: Want): Sh {
  if (port !== undefined) return sh`timeout 2 bash -c 'exec 3<>"/dev/tcp/$1/$2"' -- ${host} ${port} 2>/dev/null`;
  if (path !== undefined) return contains === undefined ? sh`{ [ -e ${path} ] || [ -L ${path} ]; }` : sh`grep -qsF -- ${contains} ${path}`;
  return unit === undefined ? runs(process) : sh`systemctl is-active --quiet -- ${unitOf(unit)}`;
}

/** Without starting a process. What has ended and was not waited for by its parent does not run. */
function runs(process: string): Sh {
  return sh`(
  wanted=${process}
  for folder in /proc/[0-9]*; do
    { read -r name <"$folder/comm"; } 2>/dev/null && [ "$name" = "$wanted" ] || continue
    { read -r line <"$folder/stat"; } 2>/dev/null || continue
    case \${line##*\\) } in [ZX]*) ;; *) exit 0 ;; esac
  done
  exit 1
)`;
}

function sentence(want: Want, opposite = false): string {
  const holds = gone(want) === opposite;
  const { port, host = '127.0.0.1', path, contains, unit, process } = want;
  if (port !== undefined) return `${host.includes(':') ? `[${host}]` : host}:${port} ${holds ? 'answers' : 'does not answer'}`;
  if (contains !== undefined) return `${path} ${holds ? 'contains' : 'does not contain'} ${JSON.stringify(contains)}`;
  if (path !== undefined) return `${path} is ${holds ? '' : 'not '}there`;
  if (unit !== undefined) return `${unitOf(unit)} is ${holds ? '' : 'not '}active`;
  return `${holds ? 'a' : 'no'} process ${process} runs`;
}
