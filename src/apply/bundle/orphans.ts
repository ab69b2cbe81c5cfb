/** Runs that have lost their control machine: what is still at work on a host is followed to its end before anything is planned. */
import type { Running, Seen, Traces } from '../../model.ts';
import { sh } from '../../sh/sh.ts';
import type { Connection } from '../../transport/transport.ts';
import { isLive } from '../lock/lock-script.ts';
import { type FollowOptions, followBundle } from './run-bundle.ts';

type Seens = Readonly<Record<string, Seen>>;

/** What came of them, a sentence each; empty where there were none. */
export async function followOrphans(
  seen: Seens,
  connections: ReadonlyMap<string, Connection>,
  options: FollowOptions,
): Promise<readonly string[]> {
  const ended = [...connections].map(async ([host, connection]) => {
    const notes: string[] = [];
    for (const run of orphansOf(seen[host])) notes.push(await followOne(run, connection, options));
    return notes;
  });
  return (await Promise.all(ended)).flat();
}

/** What is at work on hosts, whoever began it: what is seen there may change. */
export function othersAtWork(seen: Seens): readonly string[] {
  return Object.values(seen).flatMap((one) => {
    const { lock, running = [] } = tracesOf(one) ?? {};
    if (lock && !lock.left)
      return [`${one.host}: ${lock.command} by ${lock.who} is at work here (run ${lock.run}): what was seen may change`];
    return running.map(({ id }) => `${one.host}: what is left of run ${id} is at work here: what was seen may change`);
  });
}

/** Without a lock, or with that of somebody who is gone. */
function orphansOf(seen: Seen | undefined): readonly Running[] {
  const { lock, running = [] } = tracesOf(seen) ?? {};
  return lock && isLive(lock) ? [] : running;
}

function tracesOf(seen: Seen | undefined): Traces | undefined {
  return seen?.reached ? seen.traces : undefined;
}

async function followOne({ id, nonce, titles }: Running, connection: Connection, options: FollowOptions): Promise<string> {
  const jobs = titles.map((title) => ({ title, run: sh`:`, timeout: 0 }));
  const { outcomes } = await followBundle(connection, { id, nonce, jobs }, options);
  const count = (result: string): number => outcomes.filter((outcome) => outcome.result === result).length;
  return `${connection.host.name}: run ${id}, which had lost its control machine, was followed to its end: ${count('done')} done, ${count('failed')} failed`;
}
