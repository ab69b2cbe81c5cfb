/** What verbs have in common that ask hosts about lvsctl itself, or tell them something: no playbook, one script for each host. */
import { selectHosts } from '../inventory/select.ts';
import { type Asking, askHosts } from '../transport/ask-hosts.ts';
import type { CommonFlags } from './flags.ts';
import { openSession, type Session } from './session.ts';

export interface OnHosts extends Asking {
  readonly session: Session;
}

/** Of the hosts that `--limit` names. */
export async function onHosts(file: string, flags: CommonFlags, act: (hosts: OnHosts) => Promise<void>): Promise<void> {
  const session = await openSession(file, flags, {});
  await askHosts(selectHosts(session.fleet, flags.limit), session, (asking) => act({ session, ...asking }));
}
