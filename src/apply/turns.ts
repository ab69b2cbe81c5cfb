/** One script at a time on a host, whoever's it is: steps that several hosts delegate to one do not run into each other. */
import pLimit, { type LimitFunction } from 'p-limit';

export type Turns = <Result>(host: string, work: () => Promise<Result>) => Promise<Result>;

export function newTurns(): Turns {
  const queues = new Map<string, LimitFunction>();
  return (host, work) => {
    const queue = queues.get(host) ?? pLimit(1);
    queues.set(host, queue);
    return queue(work);
  };
}
