/** `lvsctl plan`: what would change; the same path as deploy, up to the send. */
import type { CommonFlags } from '../flags.ts';
import { perform } from '../perform.ts';
import { openSession, ownPlaybook } from '../session.ts';

export async function plan(file: string, flags: CommonFlags): Promise<void> {
  const flow = await openSession(file, flags, { plays: flags.playbook ?? ownPlaybook('deploy') });
  await perform({ command: 'plan', flow, flags, confirm: async () => false });
}
