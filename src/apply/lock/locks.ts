/** Locks on every host that a run may touch: all of them or none, kept alive while the run lasts, taken again after a line broke. */
import { LvsError } from '../../errors.ts';
import type { Connection } from '../../transport/transport.ts';
import { keepLock } from './keep-lock.ts';
import type { Before, LockOwner } from './lock-script.ts';
import { notOurs } from './refusals.ts';

export interface LockOptions {
  readonly owner: LockOwner;
  readonly connections: ReadonlyMap<string, Connection>;
  /** By host: what the look has seen of other runs there. */
  readonly before: Readonly<Record<string, Before>>;
}

export interface Locks {
  /** Locks that were left behind and have been taken over, a sentence each. */
  readonly broken: readonly string[];
  /**
   * For the moment before something is done on the host: one that went with its line, or in a reboot, is taken again first. Throws LvsError
   * `locked` (exit 6) when the host is not, or not any more, this run's.
   */
  readonly check: (host: string) => Promise<void>;
  release(): Promise<void>;
}

/**
 * Throws LvsError `locked` (exit 6) when another run is at work on one of the hosts, or was since the look, and what its line throws (exit 5)
 * when a host is not there any more; then none is locked.
 */
export async function takeLocks(hosts: readonly string[], options: LockOptions): Promise<Locks> {
  const { connections, owner, before } = options;
  const tried = await Promise.allSettled(
    hosts.map((host) => {
      const connection = connections.get(host);
      if (!connection) throw new Error(`no connection to ${host}`);
      return keepLock(connection, owner, before[host] ?? { last: '' });
    }),
  );
  const kept = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const release = async (): Promise<void> => void (await Promise.all(kept.map((one) => one.release())));
  const failed: readonly unknown[] = tried.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const reasons = [...kept.flatMap(({ refused }) => refused ?? []), ...failed];
  if (reasons.length > 0) {
    await release();
    throw inOne(reasons);
  }
  const byHost = new Map(kept.map((one) => [one.host, one]));
  return {
    broken: kept.flatMap(({ host, broken }) =>
      broken ? [`${host}: the lock that ${broken.command} by ${broken.who} (run ${broken.run}) had left behind was taken over`] : [],
    ),
    check: async (host) => {
      const one = byHost.get(host);
      if (!one) throw notOurs(host);
      await one.check();
    },
    release,
  };
}

function inOne(reasons: readonly unknown[]): unknown {
  const bug = reasons.find((reason) => !(reason instanceof LvsError));
  const [first, ...others] = reasons.filter((reason) => reason instanceof LvsError);
  if (bug !== undefined || !first || others.length === 0) return bug ?? first;
  const { message, code, exitCode, where, hint } = first;
  return new LvsError(message, { code, exitCode, others, ...(where && { where }), ...(hint !== undefined && { hint }) });
}
