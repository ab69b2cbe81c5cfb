/** `lvsctl deploy`: plan, confirm, apply, look again, verify. */
import { confirm } from '../confirm.ts';
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
  await perform({ command: 'deploy', flow, flags, confirm: (soFar, plan) => confirm(soFar, plan, flags) });
}
