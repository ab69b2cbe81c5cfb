/** What verbs have in common that ask hosts about lvsctl itself, or tell them something: no playbook, one script for each host. */
import pLimit from 'p-limit';
import { selectHosts } from '../inventory/select.ts';
import { type Lines, reach } from '../transport/reach.ts';
import { runScript, type ScriptResult } from '../transport/run-script.ts';
import type { CommonFlags } from './flags.ts';
import { openSession, type Session } from './session.ts';

export interface OnHosts {
  readonly session: Session;
  readonly lines: Lines;
  /** What each host that was reached says to the script, which may take 60 s. */
  readonly ask: (script: string) => Promise<readonly (ScriptResult & { readonly host: string })[]>;
  /** Hosts that were not reached, and why. */
  readonly silent: readonly { readonly host: string; readonly said: string }[];
}

/** Connects to the hosts that `--limit` names, and closes the lines whatever comes of it. */
export async function onHosts(file: string, flags: CommonFlags, act: (hosts: OnHosts) => Promise<void>): Promise<void> {
  const session = await openSession(file, flags, {});
  const limit = pLimit(session.forks);
  const lines = await reach(selectHosts(session.fleet, flags.limit), session.transport, limit);
  const ask: OnHosts['ask'] = (script) =>
    Promise.all(
      [...lines.connections].map(([host, connection]) =>
        limit(async () => ({ host, ...(await runScript(connection, script, { timeout: 60 })) })),
      ),
    );
  const silent = Object.values(lines.unreached).flatMap((one) => (one.reached ? [] : [{ host: one.host, said: one.reason }]));
  try {
    await act({ session, lines, ask, silent });
  } finally {
    lines.close();
  }
}
