import { z } from 'zod';
import { type Change, defineTask, type Facts, type Handler, lines, type Sh, sh } from '../task.ts';
import { absolutePath, text } from './support/params.ts';
import { needSystemd } from './support/systemd/unit.ts';
import { userShell } from './support/user-shell.ts';

const seconds = z.int().min(30).max(7200).default(600).describe('Seconds within which the host must be back.');

const params = z
  .strictObject({
    marker: absolutePath
      .regex(/^(\/var)?\/run\//, 'a path in /run, which a reboot empties')
      .optional()
      .describe('File whose presence asks for a reboot: Debian’s packages leave /run/reboot-required.'),
    kernel: z.boolean().default(false).describe('Whether a kernel in /boot that is newer than the running one asks for a reboot.'),
    boot_id: z
      .string()
      .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'what /proc/sys/kernel/random/boot_id says')
      .optional()
      .describe('The host reboots as long as it still runs in this boot: for a reboot that is to happen once, whatever for.'),
    unless: text.min(1).optional().describe('Command that changes nothing and exits 0 when no reboot is needed; so it must after one.'),
    timeout: seconds,
  })
  .refine(
    ({ marker, kernel, boot_id, unless }) => kernel || [marker, boot_id, unless].some((each) => each !== undefined),
    'at least one of "marker", "kernel", "boot_id" and "unless": without it the host would reboot every time',
  );

type Want = z.infer<typeof params>;

const handlerParams = z.strictObject({ timeout: seconds });

interface Seen {
  /** Why a reboot is needed; empty when it is not. */
  readonly reasons: readonly string[];
  readonly bootId: string;
}

export default defineTask<Want, Seen>({
  summary:
    'Reboots the host when something asks for it, and waits until it is back and has started; later tasks run on the new boot. What earlier tasks of the same run ask for is seen behind a barrier only. Under `handlers:` it reboots whenever it was notified.',
  params,
  touches: () => ['host:boot'],
  probe: (want) =>
    lines(
      sh`read -r id </proc/sys/kernel/random/boot_id && printf 'boot %s\n' "$id"`,
      ...questions(want).map(({ asks, why }) => sh`${asks} && printf 'because %s\n' ${why}`),
    ),
  parse: ({ stdout }, want) => {
    const said = new Set([...stdout.matchAll(/^because (.*)$/gm)].map(([, why]) => why));
    return {
      reasons: questions(want).flatMap(({ why }) => (said.has(why) ? [why] : [])),
      bootId: /^boot ([0-9a-f-]{36})$/m.exec(stdout)?.[1] ?? 'unknown',
    };
  },
  plan: (seen, want, { facts }) => {
    if (seen.reasons.length === 0) return [];
    needSystemd(facts, 'the task reboot');
    return [reboot(seen, want, facts)];
  },
  settled: (want) =>
    `no reboot is needed: ${questions(want)
      .map(({ otherwise }) => otherwise)
      .join(', ')}`,
  asHandler: {
    params: handlerParams,
    make: ({ timeout }: z.infer<typeof handlerParams>): Handler => ({ run: rebootSoon, reboots: timeout, risk: 'restart' }),
  },
  example: { marker: '/run/reboot-required', kernel: true, unless: 'systemctl is-active --quiet keepalived', timeout: 600 },
});

interface Question {
  /** Exits 0 when a reboot is needed. */
  readonly asks: Sh;
  readonly why: string;
  readonly otherwise: string;
}

function questions({ marker, kernel, boot_id: bootId, unless }: Want): readonly Question[] {
  return [
    ...(marker === undefined ? [] : [{ asks: sh`[ -e ${marker} ]`, why: `${marker} is there`, otherwise: `${marker} is not there` }]),
    ...(kernel ? [{ asks: newerKernel, why: 'a newer kernel is installed', otherwise: 'the newest installed kernel runs' }] : []),
    ...(bootId === undefined
      ? []
      : [
          {
            asks: sh`[ "$(cat /proc/sys/kernel/random/boot_id)" = ${bootId} ]`,
            why: `it still runs in boot ${bootId}`,
            otherwise: `boot ${bootId} is over`,
          },
        ]),
    ...(unless === undefined ? [] : [command(unless)]),
  ];
}

function command(unless: string): Question {
  const [line = ''] = unless.trim().split('\n');
  const title = JSON.stringify(line.length > 60 ? `${line.slice(0, 59)}…` : line);
  return {
    asks: sh`! ${userShell(unless)} >/dev/null 2>&1 </dev/null`,
    why: `${title} says so`,
    otherwise: `${title} says that it is not`,
  };
}

/** By version, as boot loaders sort them; a host without kernels in /boot has none that is newer. */
const newerKernel = sh`{
  read -r running </proc/sys/kernel/osrelease
  newest=$(for file in /boot/vmlinuz-*; do case $file in *rescue*|*'*') ;; *) printf '%s\n' "\${file#/boot/vmlinuz-}" ;; esac; done | sort -V | tail -n 1)
  [ -n "$newest" ] && [ "$newest" != "$running" ]
}`;

function reboot({ reasons, bootId }: Seen, want: Want, { kernel }: Facts): Change {
  return {
    id: 'reboot',
    title: `reboot the host: ${reasons.join(', ')}`,
    was: `boot ${bootId}, Linux ${kernel}\n`,
    will: 'a new boot\n',
    run: rebootSoon,
    unless: lines(...questions(want).map(({ asks }) => sh`if ${asks}; then exit 1; fi`)),
    reboots: want.timeout,
    risk: 'restart',
  };
}

/** Not at once: that it begins is still to be reported over the line which it will break. */
const rebootSoon = sh`systemctl is-active --quiet lvsctl-reboot.timer ||
  systemd-run --quiet --collect --unit=lvsctl-reboot --on-active=3 --timer-property=AccuracySec=100ms systemctl reboot`;
