/** `lvsctl freeze`: nothing changes these hosts until then, from whichever machine it is tried. */
import pLimit from 'p-limit';
import { freezeScript, sentence, thawScript } from '../../apply/freeze.ts';
import { EXIT, LvsError } from '../../errors.ts';
import { selectHosts } from '../../inventory/select.ts';
import { reach } from '../../transport/reach.ts';
import { runScript } from '../../transport/run-script.ts';
import { printable } from '../../view/printable.ts';
import type { CommonFlags } from '../flags.ts';
import { openSession } from '../session.ts';

export interface FreezeFlags extends CommonFlags {
  readonly until?: string;
  readonly why?: string;
  readonly lift?: boolean;
}

export async function freeze(file: string, flags: FreezeFlags): Promise<void> {
  if ((flags.until === undefined) === !flags.lift) throw badTime('say either --until TIME or --lift');
  const until = flags.until === undefined ? 0 : readTime(flags.until, Date.now());
  const session = await openSession(file, flags, {});
  const frozen = { until, who: session.who, why: flags.why ?? '' };
  const limit = pLimit(session.forks);
  const lines = await reach(selectHosts(session.fleet, flags.limit), session.transport, limit);
  try {
    const done = [...lines.connections].map(([host, connection]) =>
      limit(async () => {
        const { exit, stderr } = await runScript(connection, flags.lift ? thawScript : freezeScript(frozen), { timeout: 60 });
        return { host, failed: exit !== 0, said: exit === 0 ? (flags.lift ? 'may be changed again' : sentence(frozen)) : stderr.trim() };
      }),
    );
    const all = await Promise.all(done);
    const silent = Object.values(lines.unreached).flatMap((one) => (one.reached ? [] : [{ host: one.host, said: one.reason }]));
    for (const { host, said } of [...all, ...silent]) process.stdout.write(`${printable(`${host}: ${said}`)}\n`);
    if (all.some(({ failed }) => failed)) process.exitCode = EXIT.taskFailed;
    if (silent.length > 0) process.exitCode = EXIT.unreachable;
  } finally {
    lines.close();
  }
}

/** `90m`, `8h`, `3d`, or a date as `2026-12-01`, `2026-12-01 08:00` or ISO 8601, by this machine's clock; in seconds since 1970. */
export function readTime(typed: string, now: number): number {
  const [, amount, unit] = /^(\d{1,4})([mhd])$/.exec(typed.trim()) ?? [];
  if (amount && unit) return Math.floor(now / 1000) + Number(amount) * { m: 60, h: 3600, d: 86_400 }[unit as 'm' | 'h' | 'd'];
  const day = /^\d{4}-\d{2}-\d{2}$/.test(typed.trim()) ? `${typed.trim()} 00:00` : typed.trim();
  const time = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}/.test(day) ? Date.parse(day) : Number.NaN;
  if (Number.isNaN(time)) throw badTime(`"${typed}" is no time`);
  if (time <= now) throw badTime(`"${typed}" is over`);
  return Math.floor(time / 1000);
}

function badTime(message: string): LvsError {
  return new LvsError(message, { code: 'cli.until', exitCode: EXIT.badInput, hint: 'such as --until 8h, 3d, or "2026-12-01 08:00"' });
}
