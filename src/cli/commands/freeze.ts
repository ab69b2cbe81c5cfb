/** `lvsctl freeze`: nothing changes these hosts until then, from whichever machine it is tried. */
import { freezeScript, sentence, thawScript } from '../../apply/lock/freeze.ts';
import { EXIT, LvsError } from '../../errors.ts';
import { printable } from '../../view/printable.ts';
import { say } from '../../view/say.ts';
import { printDocument } from '../document.ts';
import type { CommonFlags } from '../flags.ts';
import { onHosts } from '../on-hosts.ts';

export interface FreezeFlags extends CommonFlags {
  readonly until?: string;
  readonly why?: string;
  readonly lift?: boolean;
}

export async function freeze(file: string, flags: FreezeFlags): Promise<void> {
  if ((flags.until === undefined) === !flags.lift) throw badTime('say either --until TIME or --lift');
  const until = flags.until === undefined ? 0 : readTime(flags.until, Date.now());
  await onHosts(file, flags, async ({ session, ask, silent }) => {
    const frozen = { until, who: session.who, why: flags.why ?? '' };
    const done = flags.lift ? 'may be changed again' : sentence(frozen);
    const asked = await ask(flags.lift ? thawScript : freezeScript(frozen));
    const all = asked.map(({ host, exit, stderr }) => ({ host, failed: exit !== 0, said: exit === 0 ? done : stderr.trim() }));
    const exitCode = silent.length > 0 ? EXIT.unreachable : all.some(({ failed }) => failed) ? EXIT.taskFailed : EXIT.done;
    const hosts = [
      ...all.map(({ host, failed, said }) => ({ host, ok: !failed, said })),
      ...silent.map(({ host, said }) => ({ host, ok: false, said })),
    ];
    if (flags.json) return printDocument('freeze', exitCode, { hosts });
    for (const { host, said } of hosts) say(printable(`${host}: ${said}`));
    process.exitCode = exitCode;
  });
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
