/** The books of a running bundle: entries of its journal in, events out, outcomes at the end. */
import type { Event, Outcome } from '../../model.ts';
import { mask } from '../../sh/secret.ts';
import type { Bundle } from './bundle.ts';
import type { Entry } from './journal.ts';

/** Characters that are kept of what a host says of a step: more is no word of ours, and would fill this machine's memory. */
const kept = 65_536;

export interface Ledger {
  readonly outcomes: readonly Outcome[];
  /** The job at work. */
  readonly running: number | undefined;
  /** True when it says that the run has come further than it was. */
  note(entry: Entry): boolean;
  /** The journal was not read to its end: what was running, or would have been next, failed. */
  interrupted(reason: string): void;
}

export interface LedgerOptions {
  /** Secret values to slots. */
  readonly conceal: (text: string) => string;
  readonly emit: (event: Event) => void;
}

export function newLedger(bundle: Bundle, host: string, { emit, conceal }: LedgerOptions): Ledger {
  const outcomes: Outcome[] = bundle.jobs.map(({ title }) => ({ title, result: 'not-run', exit: 0, output: '', seconds: 0 }));
  const logs = bundle.jobs.map(() => '');
  let running: number | undefined;
  let last = -1;
  let since = 0;
  const settle = (job: number, result: 'done' | 'already' | 'failed', exit: number, said: string): void => {
    const output = mask(conceal(said));
    const title = bundle.jobs[job]?.title ?? '';
    const seconds = (Date.now() - since) / 1000;
    outcomes[job] = { title, result, exit, output, seconds };
    emit({ kind: 'end', host, title, result, detail: output, seconds });
    running = undefined;
  };
  return {
    outcomes,
    get running() {
      return running;
    },
    note(entry) {
      const job = 'job' in entry ? entry.job : -1;
      const title = bundle.jobs[job]?.title;
      if (title === undefined) return false;
      const further = entry.kind === 'begin' ? job > last : entry.kind === 'end' && job === running;
      if (entry.kind === 'begin') {
        running = job;
        last = Math.max(last, job);
        since = Date.now();
        emit({ kind: 'begin', host, title });
      } else if (entry.kind === 'progress') {
        emit({ kind: 'progress', host, title, done: entry.done, total: entry.total, unit: entry.unit });
      } else if (entry.kind === 'log') {
        logs[job] = `${logs[job]}${entry.text}\n`.slice(-kept);
      } else if (entry.kind === 'end') {
        settle(job, entry.result, entry.exit, (logs[job] ?? '').trim());
      }
      return further;
    },
    interrupted(reason) {
      const next = running ?? last + 1;
      if (next < outcomes.length) settle(next, 'failed', -1, reason);
    },
  };
}
