/** `lvsctl verify`: every check from every vantage point; changes nothing. */
import type { CommonFlags } from '../flags.ts';
import { perform } from '../perform.ts';
import { openSession, ownPlaybook } from '../session.ts';

export async function verify(file: string, flags: CommonFlags): Promise<void> {
  const flow = await openSession(file, flags, { checks: flags.playbook ?? ownPlaybook('verify') });
  await perform({ command: 'verify', flow, flags, confirm: async () => false });
}
