/** `lvsctl deploy`: plan, confirm, apply, look again, verify. */
import { createInterface } from 'node:readline/promises';
import { EXIT, LvsError } from '../../errors.ts';
import type { Report } from '../../model.ts';
import { closingLine, reportText } from '../../view/text.ts';
import type { CommonFlags } from '../flags.ts';
import { list, wantsList } from '../list.ts';
import { perform } from '../perform.ts';
import { openSession, ownPlaybook } from '../session.ts';
import { plan } from './plan.ts';

export async function deploy(file: string, flags: CommonFlags): Promise<void> {
  if (flags.check && !wantsList(flags)) return plan(file, flags);
  // A playbook of one's own is verified by its own checks.
  const books = { plays: flags.playbook ?? ownPlaybook('deploy'), checks: flags.playbook ?? ownPlaybook('verify') };
  if (wantsList(flags)) return list('deploy', file, flags, books);
  const flow = await openSession(file, flags, books);
  await perform({ command: 'deploy', flow, flags, confirm: (soFar) => confirm(soFar, flags) });
}

/** Shows the plan and asks on a terminal; elsewhere only --yes lets a run touch anything. */
async function confirm(soFar: Report, flags: CommonFlags): Promise<boolean> {
  if (flags.yes) return true;
  if (flags.json || !process.stdin.isTTY || !process.stdout.isTTY) {
    throw new LvsError(`nobody is there to confirm ${closingLine(soFar)}`, {
      code: 'cli.confirm',
      exitCode: EXIT.badInput,
      hint: 'say --yes, or look first with "lvsctl plan"',
    });
  }
  process.stdout.write(`${reportText(soFar, { diff: flags.diff ?? false, verbose: flags.verbose })}\n`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question('Make these changes? [y/N] ');
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
