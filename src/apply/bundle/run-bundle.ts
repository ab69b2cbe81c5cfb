/** Sends one bundle to its host and follows the journal to its end, over as many lines as it takes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Event, Outcome } from '../../model.ts';
import { awayAtMost, reopen } from '../../transport/reopen.ts';
import { runScript } from '../../transport/run-script.ts';
import type { Connection } from '../../transport/transport.ts';
import { attachScript, type Bundle, bundleScript, confirmScript } from './bundle.ts';
import { followOnce } from './follow-once.ts';
import { newJournalReader } from './journal-reader.ts';
import { newLedger } from './ledger.ts';
import { betweenJobs, secondsFor } from './patience.ts';

export interface FollowOptions {
  readonly resolve: (value: string) => string;
  /** Secret values to slots. */
  readonly conceal: (text: string) => string;
  readonly emit: (event: Event) => void;
  /** Seconds to open a broken line again; 300 unless said. */
  readonly patience?: number;
  /** Aborted: the host finishes the step at work, and begins no other. */
  readonly stop?: AbortSignal | undefined;
  /** Throws where the host is not this run's any more. Asked before anything is sent once more. */
  readonly check?: () => Promise<void>;
}

export interface BundleResult {
  /** What became of each job, in order. */
  readonly outcomes: readonly Outcome[];
  /** Frames in which a step has failed, those of earlier parts among them. */
  readonly failed: readonly string[];
}

/** A line that breaks is opened again, and the run taken up where its journal was left: on the host it has gone on all the while. */
export function runBundle(connection: Connection, bundle: Bundle, options: FollowOptions): Promise<BundleResult> {
  return follow(connection, bundle, options, 'own');
}

/** As `runBundle`, for a run that somebody else began: it is only heard, and its journal stays. */
export function followBundle(connection: Connection, bundle: Bundle, options: FollowOptions): Promise<BundleResult> {
  return follow(connection, bundle, options, 'heard');
}

/** Lines in a row that may break with nothing heard over them: it is not by chance that they do. */
const inVain = 30;

type Whose = 'own' | 'heard';

async function follow(connection: Connection, bundle: Bundle, options: FollowOptions, whose: Whose): Promise<BundleResult> {
  const ledger = newLedger(bundle, connection.host.name, options);
  const reader = newJournalReader(bundle.nonce);
  const following = {
    ...{ reader, ledger, patience: patienceFor(bundle, whose) },
    goodbye: whose === 'own' ? 'finished\n' : '',
    // Whoever only hears cannot say that it is well: the host decides by itself.
    confirm: (job: number) => whose === 'own' && confirm(connection, bundle, job),
    ...(whose === 'own' && { stop: options.stop }),
  };
  let vain = 0;
  for (let script = whose === 'own' ? bundleScript(bundle, options.resolve) : attachScript(bundle, 0); ; ) {
    const before = reader.offset;
    const end = await followOnce(connection, script, following);
    if (end.failed) return { outcomes: ledger.outcomes, failed: end.failed };
    if (end.absent && !reader.begun && options.stop?.aborted) return { outcomes: ledger.outcomes, failed: bundle.failed ?? [] };
    vain = reader.offset > before ? 0 : vain + 1;
    const over =
      end.reason ?? (vain < inVain ? await newLine(connection, options) : `${inVain} lines in a row broke before anything was heard`);
    if (over !== undefined) {
      ledger.interrupted(over);
      return { outcomes: ledger.outcomes, failed: ['top'] };
    }
    script = reader.begun || whose === 'heard' ? attachScript(bundle, reader.offset) : await sendAgain(bundle, options);
  }
}

/** Nothing was heard: the host may have got nothing, a part, or all. Sent again, it starts once in any case, if it may still start. */
async function sendAgain(bundle: Bundle, options: FollowOptions): Promise<string> {
  if (options.stop?.aborted) return attachScript(bundle, 0);
  await options.check?.();
  return bundleScript(bundle, options.resolve);
}

/** Seconds for a step of somebody else's run, of which only the titles are known. */
const anyStep = 7200;

function patienceFor({ jobs, undoAfter = 60 }: Bundle, whose: Whose): (job: number | undefined) => number {
  return (number) => {
    const job = number === undefined ? undefined : jobs[number];
    if (whose === 'heard') return anyStep;
    return job ? secondsFor(job, undoAfter) : betweenJobs;
  };
}

/** Comes in by a new connection, which is all the proof there is. Where that fails the host puts back what was there before, and says so. */
function confirm(connection: Connection, { id, undoAfter = 60 }: Bundle, job: number): void {
  const come = async (): Promise<boolean> => {
    const line = (await connection.again?.()) ?? connection;
    try {
      return (await runScript(line, confirmScript(id, job), { timeout: 30 })).exit !== null;
    } finally {
      if (line !== connection) line.close();
    }
  };
  const until = Date.now() + undoAfter * 1000;
  // A firewall that loads its rules anew may be deaf for a moment.
  const keepComing = async (): Promise<void> => {
    while (!(await come().catch(() => false)) && Date.now() < until) await pause(500);
  };
  void keepComing();
}

async function newLine(connection: Connection, { emit, patience = awayAtMost }: FollowOptions): Promise<string | undefined> {
  if (connection.renew)
    emit({ kind: 'host', host: connection.host.name, doing: 'the line broke: opening it again; what runs there goes on' });
  return reopen(connection, patience);
}
