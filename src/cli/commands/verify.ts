/** `lvsctl verify`: every check from every vantage point; changes nothing. */
import type { CommonFlags } from '../flags.ts';
import { readInterval } from '../interval.ts';
import { list, wantsList } from '../list.ts';
import { observe } from '../observe.ts';
import { perform } from '../perform.ts';
import { openSession, ownPlaybook } from '../session.ts';

export async function verify(file: string, flags: CommonFlags): Promise<void> {
  const every = flags.observe === undefined ? undefined : readInterval('--observe', flags.observe, 10);
  const books = { checks: flags.playbook ?? ownPlaybook('verify') };
  if (wantsList(flags)) return list('verify', file, flags, books);
  const flow = await openSession(file, flags, books);
  const performance = { command: 'verify', flow, flags, confirm: async () => false as const };
  if (every !== undefined) return observe(performance, every);
  await perform(performance);
}
