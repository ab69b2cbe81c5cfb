/** Sends one bundle to its host and follows the journal to its end, over as many lines as it takes. */
import { setTimeout as pause } from 'node:timers/promises';
import { LvsError } from '../../errors.ts';
import type { Event, Outcome } from '../../model.ts';
import { mask } from '../../sh/secret.ts';
import { awayAtMost, reopen } from '../../transport/reopen.ts';
import { runScript } from '../../transport/run-script.ts';
import type { Channel, Connection } from '../../transport/transport.ts';
import { attachScript, type Bundle, bundleScript, confirmScript } from './bundle.ts';
import type { Entry } from './journal.ts';
import { type JournalReader, newJournalReader } from './journal-reader.ts';
import { noSuchRun } from './run-folder.ts';

export interface FollowOptions {
  readonly resolve: (value: string) => string;
  /** Secret values to slots. */
  readonly conceal: (text: string) => string;
  readonly emit: (event: Event) => void;
  /** Seconds to open a broken line again; 300 unless said. */
  readonly patience?: number;
  /** Aborted: the host finishes the step at work, and begins no other. */
  readonly stop?: AbortSignal | undefined;
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

/** Characters that are kept of what a host says of a step, or complains of: more is no word of ours, and would fill this machine's memory. */
const kept = 65_536;

/** Lines in a row that may break with nothing heard over them: it is not by chance that they do. */
const inVain = 30;

type Whose = 'own' | 'heard';

async function follow(connection: Connection, bundle: Bundle, options: FollowOptions, whose: Whose): Promise<BundleResult> {
  const ledger = newLedger(bundle, connection.host.name, options);
  const reader = newJournalReader(bundle.nonce);
  let vain = 0;
  for (let script = whose === 'own' ? bundleScript(bundle, options.resolve) : attachScript(bundle, 0); ; ) {
    const before = reader.offset;
    const end = await followOnce(connection, script, {
      ...{ reader, ledger, whose, confirm: (job) => confirm(connection, bundle, job) },
      ...(whose === 'own' && { stop: options.stop }),
    });
    if (end.failed) return { outcomes: ledger.outcomes, failed: end.failed };
    vain = reader.offset > before ? 0 : vain + 1;
    const over =
      end.reason ?? (vain < inVain ? await newLine(connection, options) : `${inVain} lines in a row broke before anything was heard`);
    if (over !== undefined) {
      ledger.interrupted(over);
      return { outcomes: ledger.outcomes, failed: ['top'] };
    }
    // Where nothing was heard, the host may have got nothing, a part, or all: sent again, it starts once in any case.
    script = reader.begun || whose === 'heard' ? attachScript(bundle, reader.offset) : bundleScript(bundle, options.resolve);
  }
}

/** Frames that failed, when the journal was read to its end; else why nothing more is to be heard; neither when the line broke. */
interface End {
  readonly failed?: readonly string[];
  readonly reason?: string;
}

interface Following {
  readonly reader: JournalReader;
  readonly ledger: Ledger;
  readonly whose: Whose;
  readonly confirm: (job: number) => void;
  readonly stop?: AbortSignal | undefined;
}

async function followOnce(connection: Connection, script: string, { reader, ledger, whose, confirm, stop }: Following): Promise<End> {
  let channel: Channel;
  try {
    channel = await connection.shell();
  } catch (error) {
    if (error instanceof LvsError && error.code === 'ssh.lost') return {};
    throw error;
  }
  let complaints = '';
  channel.stderr.on('data', (chunk: Buffer) => {
    complaints = `${complaints}${chunk.toString('utf8')}`.slice(-kept);
  });
  channel.stdin.on('error', () => undefined);
  channel.stdin.write(script);
  const askToStop = (): void => void channel.stdin.write('stop\n');
  let end: End = {};
  for await (const entry of reader.entries(channel.stdout)) {
    if (entry.kind === 'journal') {
      // Not before: what comes right behind a script may still be read as a part of it.
      if (stop?.aborted) askToStop();
      else stop?.addEventListener('abort', askToStop);
    } else if (entry.kind === 'finished') {
      end = { failed: entry.failed };
      channel.stdin.end(whose === 'own' ? 'finished\n' : '');
    } else if (entry.kind === 'gone') {
      end = { reason: 'what ran there was ended before it had finished: killed, or out of memory' };
      channel.stdin.end();
    } else if (entry.kind === 'confirm') {
      // Whoever only hears cannot say that it is well: the host decides by itself.
      if (whose === 'own') confirm(entry.job);
    } else ledger.note(entry);
  }
  stop?.removeEventListener('abort', askToStop);
  const { exit } = await channel.ended;
  if (end.failed || end.reason || !exit) return end;
  if (exit === noSuchRun) return { reason: 'the host was restarted while this ran, or /run was cleared' };
  return { reason: `the runner did not start: ${complaints.trim().split('\n').at(-1)?.slice(0, 300) || `exit ${exit}`}` };
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

interface Ledger {
  readonly outcomes: readonly Outcome[];
  note(entry: Entry): void;
  /** The journal was not read to its end: what was running, or would have been next, failed. */
  interrupted(reason: string): void;
}

/** Keeps the books of a running bundle: entries in, events out, outcomes at the end. */
function newLedger(bundle: Bundle, host: string, { emit, conceal }: FollowOptions): Ledger {
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
        logs[job] = `${logs[job]}${entry.text}\n`.slice(-kept);
      } else if (entry.kind === 'end') {
        settle(job, entry.result, entry.exit, (logs[job] ?? '').trim());
      }
    },
    interrupted(reason) {
      const next = running ?? last + 1;
      if (next < outcomes.length) settle(next, 'failed', -1, reason);
    },
  };
}
