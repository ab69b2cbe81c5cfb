/** `lvsctl plan`: what would change; the same path as deploy, up to the send. */
import { EXIT, LvsError } from '../../errors.ts';
import type { Plan } from '../../model.ts';
import { sayAside } from '../../view/say.ts';
import type { CommonFlags } from '../flags.ts';
import { readInterval } from '../interval.ts';
import { list, wantsList } from '../list.ts';
import { observe } from '../observe.ts';
import { perform } from '../perform.ts';
import { mustBeDecided, savePlan } from '../saved-plan.ts';
import { openSession, ownPlaybook } from '../session.ts';

export async function plan(file: string, flags: CommonFlags & { readonly out?: string }): Promise<void> {
  const every = flags.observe === undefined ? undefined : readInterval('--observe', flags.observe, 10);
  if (every !== undefined && flags.out !== undefined) {
    throw new LvsError('--observe makes no plan that could be kept', {
      code: 'cli.observe',
      exitCode: EXIT.badInput,
      hint: 'say one of --observe and --out',
    });
  }
  const books = { plays: flags.playbook ?? ownPlaybook('deploy') };
  if (wantsList(flags)) return list('plan', file, flags, books);
  const flow = await openSession(file, flags, books);
  if (every !== undefined) return observe({ command: 'plan', flow, flags, confirm: async () => false }, every);
  let made: Plan = { cluster: flow.fleet.cluster, batches: [] };
  const keep = async (_: unknown, plan: Plan): Promise<false> => {
    if (flags.out !== undefined) mustBeDecided(flags.out, plan);
    made = plan;
    return false;
  };
  const { exitCode } = await perform({ command: 'plan', flow, flags, confirm: keep });
  if (flags.out === undefined) return;
  if (exitCode === EXIT.done || exitCode === EXIT.changesPending) savePlan(flags.out, made, flow);
  else sayAside(`${flags.out} was not written: this is no whole plan`);
}
