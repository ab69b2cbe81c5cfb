/** One line's worth of a run: sends a script and reads the journal for as long as the line lasts. */
import { LvsError } from '../../errors.ts';
import { closeWhenSilent } from '../../transport/silence.ts';
import type { Channel, Connection } from '../../transport/transport.ts';
import type { JournalReader } from './journal-reader.ts';
import type { Ledger } from './ledger.ts';
import { noSuchRun } from './run-folder.ts';

/** Frames that failed, when the journal was read to its end; else why nothing more is to be heard; neither when the line broke. */
export interface End {
  readonly failed?: readonly string[];
  readonly reason?: string;
  /** The host has no such run. */
  readonly absent?: true;
}

export interface Following {
  readonly reader: JournalReader;
  readonly ledger: Ledger;
  /** Seconds for which nothing new may be heard while a job, or none, is at work. */
  readonly patience: (job: number | undefined) => number;
  /** What is said on stdin when the journal was read to its end. */
  readonly goodbye: string;
  /** A job wants somebody to come in anew. */
  readonly confirm: (job: number) => void;
  readonly stop?: AbortSignal | undefined;
}

/** Characters that are kept of what a host complains of. */
const kept = 65_536;

export async function followOnce(connection: Connection, script: string, following: Following): Promise<End> {
  const { reader, ledger, patience, goodbye, confirm, stop } = following;
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
  const silence = closeWhenSilent(channel, () => patience(ledger.running));
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
      channel.stdin.end(goodbye);
    } else if (entry.kind === 'gone') {
      end = { reason: 'what ran there was ended before it had finished: killed, or out of memory or of room in /run' };
      channel.stdin.end();
    } else if (entry.kind === 'confirm') confirm(entry.job);
    else if (ledger.note(entry)) silence.heard();
  }
  stop?.removeEventListener('abort', askToStop);
  const { exit } = await channel.ended;
  silence.end();
  if (end.failed || end.reason) return end;
  if (silence.tooLong !== undefined)
    return { reason: `the host is at it for longer than it ever should be, and does not end it: nothing new in ${silence.tooLong} s` };
  if (!exit) return end;
  if (exit === noSuchRun) return { absent: true, reason: 'the host was restarted while this ran, or /run was cleared' };
  return { reason: `the runner did not start: ${complaints.trim().split('\n').at(-1)?.slice(0, 300) || `exit ${exit}`}` };
}
