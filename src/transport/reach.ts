/** Opens the line to every host of a run at once; a host that does not answer is a fact about that host, not the end of the run. */
import type { LimitFunction } from 'p-limit';
import { EXIT, LvsError } from '../errors.ts';
import type { Host, Seen } from '../model.ts';
import { renewable } from './renewable.ts';
import type { Connection, Transport } from './transport.ts';

export interface Lines {
  readonly connections: ReadonlyMap<string, Connection>;
  /** Hosts that could not be reached, with the reason. */
  readonly unreached: Readonly<Record<string, Seen>>;
  close(): void;
}

/** `limit` bounds how many hosts are connected to at once. */
export async function reach(hosts: readonly Host[], transport: Transport, limit: LimitFunction): Promise<Lines> {
  const connections = new Map<string, Connection>();
  const unreached: Record<string, Seen> = {};
  const open = async (host: Host): Promise<void> => {
    try {
      connections.set(host.name, await renewable(host, transport));
    } catch (error) {
      if (!(error instanceof LvsError) || error.exitCode !== EXIT.unreachable) throw error;
      unreached[host.name] = { host: host.name, reached: false, reason: error.message, ...(error.hint && { hint: error.hint }) };
    }
  };
  await Promise.all(hosts.map((host) => limit(open, host)));
  return {
    connections,
    unreached,
    close: () => {
      for (const connection of connections.values()) connection.close();
    },
  };
}
