/** `lvsctl rollback`: puts files back as they were before a run that changed them, on all hosts, by the ordinary way of a change. */
import { EXIT, LvsError } from '../../errors.ts';
import { selectHosts } from '../../inventory/select.ts';
import { wordsOf } from '../../rollback/kept-runs.ts';
import { rollbackOf } from '../../rollback/rollback.ts';
import { printable } from '../../view/printable.ts';
import { confirm } from '../confirm.ts';
import type { CommonFlags } from '../flags.ts';
import { perform } from '../perform.ts';
import { openSession } from '../session.ts';

export interface RollbackFlags extends CommonFlags {
  readonly to?: string;
  readonly before?: string;
  readonly force?: boolean;
}

export async function rollback(file: string, given: RollbackFlags): Promise<void> {
  // What is undone is not written down anywhere else: it is always shown.
  const flags = { ...given, diff: true };
  const { to, before, force = false } = flags;
  if (to !== undefined && before !== undefined) {
    const hint = 'as it was right after the one run, or before the other';
    throw new LvsError('say one of --to and --before', { code: 'cli.rollback', exitCode: EXIT.badInput, hint });
  }
  const session = await openSession(file, flags, { puttingBack: true });
  const { flow, runs, oldest, kept } = await rollbackOf(selectHosts(session.fleet, flags.limit), { to, before, force }, session);
  const say = (line: string): void => void (flags.json ? process.stderr : process.stdout).write(`${printable(line)}\n`);
  for (const run of runs.toReversed()) say(`undoes ${run}: ${wordsOf(run, kept)}`);
  if (oldest === undefined) say(`${to} was the last run that changed files: they are as it left them`);
  // The same words again must mean the same runs, whatever this one has done by then.
  const resume = to === undefined && before === undefined ? `${session.resume} --before ${oldest}` : session.resume;
  const report = await perform({
    ...{ command: 'rollback', flow: { ...session, ...flow, resume }, flags },
    confirm: async (soFar, plan) => !flags.check && confirm(soFar, plan, flags),
  });
  if (!report.touched) return;
  say('files alone were put back: packages, addresses, rules and what commands did are as they are');
  say('the inventory still says what was undone: put that back too, or the next deploy does it again');
}
