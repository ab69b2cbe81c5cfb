/** Sends one bundle to its host and follows the journal to its end. */
import { createInterface } from 'node:readline';
import type { Event, Outcome } from '../model.ts';
import { mask } from '../sh/secret.ts';
import type { Connection } from '../transport/transport.ts';
import { type Bundle, bundleScript } from './bundle.ts';
import { type Entry, parseEntry } from './journal.ts';

export interface FollowOptions {
  readonly resolve: (value: string) => string;
  /** Secret values to slots. */
  readonly conceal: (text: string) => string;
  readonly emit: (event: Event) => void;
}

export interface BundleResult {
  /** What became of each job, in order. */
  readonly outcomes: readonly Outcome[];
  /** Frames in which a step has failed, those of earlier parts among them. */
  readonly failed: readonly string[];
}

/** A line that breaks leaves the job that was running as failed: its fate is not known. */
export async function runBundle(connection: Connection, bundle: Bundle, options: FollowOptions): Promise<BundleResult> {
  const channel = await connection.shell();
  const complaints: string[] = [];
  createInterface({ input: channel.stderr }).on('line', (line) => complaints.push(line.slice(0, 300)));
  channel.stdin.write(bundleScript(bundle, options.resolve));
  const ledger = newLedger(bundle, connection.host.name, options);
  let failed: readonly string[] | undefined;
  for await (const line of createInterface({ input: channel.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
    const entry = parseEntry(line, bundle.nonce);
    if (entry?.kind === 'finished') {
      failed = entry.failed;
      channel.stdin.end('finished\n');
    } else if (entry) ledger.note(entry);
  }
  const { exit } = await channel.ended;
  if (!failed) ledger.interrupted(exit ? `the runner did not start: ${complaints.at(-1) ?? `exit ${exit}`}` : 'the line broke');
  return { outcomes: ledger.outcomes, failed: failed ?? ['top'] };
}

interface Ledger {
  readonly outcomes: readonly Outcome[];
  note(entry: Entry): void;
  /** The journal was not read to its end: what was running, or would have been next, failed. */
  interrupted(reason: string): void;
}

/** Keeps the books of a running bundle: entries in, events out, outcomes at the end. */
function newLedger(bundle: Bundle, host: string, { emit, conceal }: FollowOptions): Ledger {
  const outcomes: Outcome[] = bundle.jobs.map(({ title }) => ({ title, result: 'not-run', exit: 0, output: '', seconds: 0 }));
  const logs = bundle.jobs.map(() => [] as string[]);
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
    note(entry) {
      const job = 'job' in entry ? entry.job : -1;
      const title = bundle.jobs[job]?.title;
      if (title === undefined) return;
      if (entry.kind === 'begin') {
        running = job;
        last = job;
        since = Date.now();
        emit({ kind: 'begin', host, title });
      } else if (entry.kind === 'progress') {
        emit({ kind: 'progress', host, title, done: entry.done, total: entry.total, unit: entry.unit });
      } else if (entry.kind === 'log') {
        logs[job]?.push(entry.text);
      } else if (entry.kind === 'end') {
        settle(job, entry.result, entry.exit, (logs[job] ?? []).join('\n').trim());
      }
    },
    interrupted(reason) {
      const next = running ?? last + 1;
      if (next < outcomes.length) settle(next, 'failed', -1, reason);
    },
  };
}
