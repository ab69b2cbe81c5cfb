/** `lvsctl deploy`: plan, confirm, apply, look again, verify. */
import { EXIT, LvsError } from '../../errors.ts';
import { confirm } from '../confirm.ts';
import type { CommonFlags } from '../flags.ts';
import { list, wantsList } from '../list.ts';
import { perform } from '../perform.ts';
import { mustHold, readPlan } from '../saved-plan.ts';
import { openSession, ownPlaybook } from '../session.ts';
import { plan } from './plan.ts';

export interface DeployFlags extends CommonFlags {
  /** File of a plan that was read and agreed to. */
  readonly plan?: string;
}

export async function deploy(file: string, flags: DeployFlags): Promise<void> {
  if (flags.check && flags.plan === undefined && !wantsList(flags)) return plan(file, flags);
  // A playbook of one's own is verified by its own checks.
  const books = { plays: flags.playbook ?? ownPlaybook('deploy'), checks: flags.playbook ?? ownPlaybook('verify') };
  if (wantsList(flags)) return list('deploy', file, flags, books);
  if (flags.plan !== undefined && flags.step) {
    throw new LvsError('a saved plan is done whole: --step has nothing to ask', {
      code: 'cli.step',
      exitCode: EXIT.badInput,
      hint: 'say one of --plan and --step',
    });
  }
  const saved = flags.plan === undefined ? undefined : { file: flags.plan, plan: readPlan(flags.plan) };
  // Whether a saved plan still holds is a look like any other.
  const flow = await openSession(file, flags, flags.check ? { plays: books.plays } : books);
  await perform({
    ...{ command: flags.check ? 'plan' : 'deploy', flow, flags },
    confirm: async (soFar, plan) => {
      if (!saved) return confirm(soFar, plan, flags);
      mustHold(saved.file, saved.plan, plan);
      return !flags.check && { leaveOut: new Set() };
    },
  });
}
