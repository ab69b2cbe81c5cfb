/** What may go wrong in the middle of a run, and what must hold all the same. */
import type { Run, Target, TargetOptions } from './target.ts';

export interface Fault {
  /** What goes wrong. */
  readonly fault: string;
  /** What must hold. */
  readonly holds: string;
  /** How often `npm run test:faults` plays it; `--once` plays each once. */
  readonly tries: number;
  /** How the target of each try is. */
  readonly target?: TargetOptions;
  /** Throws when it does not hold. Tries are counted from 0; each has a target of its own. */
  readonly play: (target: Target, number: number) => Promise<void>;
}

/** Throws unless it is so; `found` is what was seen. */
export function must(holds: boolean, what: string, found: unknown): void {
  if (!holds) throw new Error(`${what}; found ${typeof found === 'string' ? found : JSON.stringify(found)}`);
}

/** What a run of lvsctl came to, for `found`: its exit code and the end of what it printed. */
export function said({ exit, stdout, stderr }: Pick<Run, 'exit' | 'stdout' | 'stderr'>): string {
  return `exit ${exit}: ${stdout}${stderr}`.slice(-3000);
}
