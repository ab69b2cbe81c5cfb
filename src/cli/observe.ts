/** `--observe`: looks again and again, and prints what has become different. It reports and changes nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import { LvsError } from '../errors.ts';
import { differences, type Wrong, wrongsOf } from '../report/wrongs.ts';
import { printable } from '../view/printable.ts';
import { say as write } from '../view/say.ts';
import { noWatch } from '../view/watch.ts';
import { listenForInterruption } from './interruption.ts';
import { type Performance, runShown, show, startWatch } from './perform.ts';

/** Until it is interrupted. The first look is shown whole; with --json each look that differs is one line, the first one among them. */
export async function observe(performance: Performance, every: number): Promise<never> {
  const { flags, flow } = performance;
  let before: readonly Wrong[] = [];
  for (let first = true; ; first = false) {
    const began = Date.now();
    const now = await look(performance, first);
    const changed = differences(before, now);
    if (flags.json && (first || changed.appeared.length + changed.gone.length > 0))
      process.stdout.write(`${JSON.stringify({ time: new Date(began).toISOString(), ...changed, wrong: now })}\n`);
    else if (!flags.json && !first) for (const line of [...changed.appeared.map(appeared), ...changed.gone.map(gone)]) say(line, began);
    before = now;
    const interruption = listenForInterruption(flow.resume, () => undefined);
    await pause(Math.max(0, began + every * 1000 - Date.now()));
    interruption.over();
  }
}

/** A look that cannot be taken is wrong too, and no reason to end. */
async function look(performance: Performance, first: boolean): Promise<readonly Wrong[]> {
  try {
    const report = await runShown(performance, first ? startWatch : async () => noWatch);
    if (first && !performance.flags.json) show(report, performance.flags);
    return wrongsOf(report);
  } catch (error) {
    if (first || !(error instanceof LvsError)) throw error;
    return [{ key: `error ${error.code}`, host: error.where?.host ?? '', what: error.message, fix: error.hint ?? '' }];
  }
}

const about = ({ host, what }: Wrong): string => (host === '' ? what : `${host}: ${what}`);
const appeared = (wrong: Wrong): string => `✖ ${about(wrong)}${wrong.fix === '' ? '' : ` → ${wrong.fix}`}`;
const gone = (wrong: Wrong): string => `✔ no more: ${about(wrong)}`;

function say(line: string, at: number): void {
  const time = new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  write(`${time} ${printable(line)}`);
}
