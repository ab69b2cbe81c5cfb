/** `lvsctl plan`: what would change; the same path as deploy, up to the send. */
import type { CommonFlags } from '../flags.ts';
import { list, wantsList } from '../list.ts';
import { perform } from '../perform.ts';
import { openSession, ownPlaybook } from '../session.ts';

export async function plan(file: string, flags: CommonFlags): Promise<void> {
  const books = { plays: flags.playbook ?? ownPlaybook('deploy') };
  if (wantsList(flags)) return list('plan', file, flags, books);
  const flow = await openSession(file, flags, books);
  await perform({ command: 'plan', flow, flags, confirm: async () => false });
}
