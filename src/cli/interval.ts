/** The time between two looks, as it is typed. */
import { EXIT, LvsError } from '../errors.ts';

/** `30s`, `5m` or `1h`, from `least` seconds on; in seconds. Throws LvsError (exit 4), which names the flag. */
export function readInterval(flag: string, typed: string, least: number): number {
  const [, amount = '', unit = ''] = /^(\d{1,4})([smh])$/.exec(typed) ?? [];
  const seconds = Number(amount) * ({ s: 1, m: 60, h: 3600 }[unit] ?? 0);
  if (amount !== '' && seconds >= least) return seconds;
  throw new LvsError(`${flag} ${JSON.stringify(typed)} is no time between two looks: say ${least}s or more, 5m or 1h`, {
    code: 'cli.interval',
    exitCode: EXIT.badInput,
  });
}
