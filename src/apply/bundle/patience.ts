/** How long a host may be at a job. It ends what takes too long by itself; this is how long one is waited for that does not. */
import type { Job } from './bundle.ts';

/** Seconds that the runner gives to keeping how things were, and to noting how they are; and until it kills what does not end. */
const keeping = 120;
const killing = 5;

/** Seconds beyond that: a machine that is short of everything may need them to say so. */
const margin = 180;

/** Seconds between jobs, and before the first: scripts arrive, are laid out, and started. */
export const betweenJobs = 600;

/** `undoAfter`: seconds after which the host puts back by itself what has shut everybody out. */
export function secondsFor({ timeout, tries, validate, undo, unless }: Job, undoAfter: number): number {
  const { tries: times, delay } = tries ?? { tries: 1, delay: 0 };
  const part = timeout + killing;
  const one = keeping + killing + part * (validate ? 2 : 1) + (undo ? undoAfter + 150 : 0);
  return (unless ? part : 0) + times * one + (times - 1) * delay + keeping + killing + margin;
}
