/** One script for each host, side by side, and what each says to it. */
import pLimit from 'p-limit';
import type { Host } from '../model.ts';
import { type Lines, reach } from './reach.ts';
import { runScript, type ScriptResult } from './run-script.ts';
import type { Transport } from './transport.ts';

export interface Asking {
  readonly lines: Lines;
  /** What each host that was reached says to the script, which may take 60 s. */
  readonly ask: (script: string) => Promise<readonly (ScriptResult & { readonly host: string })[]>;
  /** Hosts that were not reached, and why. */
  readonly silent: readonly { readonly host: string; readonly said: string }[];
}

export interface AskOptions {
  readonly transport: Transport;
  /** So many hosts at once. */
  readonly forks: number;
}

/** Connects to the hosts, and closes the lines whatever comes of it. */
export async function askHosts<Result>(
  hosts: readonly Host[],
  { transport, forks }: AskOptions,
  act: (asking: Asking) => Promise<Result>,
): Promise<Result> {
  const limit = pLimit(forks);
  const lines = await reach(hosts, transport, limit);
  const ask: Asking['ask'] = (script) =>
    Promise.all(
      [...lines.connections].map(([host, connection]) =>
        limit(async () => ({ host, ...(await runScript(connection, script, { timeout: 60 })) })),
      ),
    );
  const silent = Object.values(lines.unreached).flatMap((one) => (one.reached ? [] : [{ host: one.host, said: one.reason }]));
  try {
    return await act({ lines, ask, silent });
  } finally {
    lines.close();
  }
}
