import type { Readable } from 'node:stream';
import type { Connection } from './transport.ts';

export interface ScriptOptions {
  /** Seconds for the script, counted from when it is sent. */
  readonly timeout: number;
  /** Bytes of both outputs together; 16 MiB unless said. */
  readonly limit?: number;
}

/** What a script printed, decoded as UTF-8, and how it ended. */
export interface ScriptResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when the line broke, a signal ended the shell, or it was cut off here. */
  readonly exit: number | null;
  /** It printed more than the limit: the rest was thrown away and the channel closed. */
  readonly truncated: boolean;
  /** It was still running after the timeout: the channel was closed. The host may go on with it. */
  readonly timedOut: boolean;
}

/**
 * Runs a script in a root shell of its own: all of it on stdin, then end of file. What a login prints before it is part of `stdout`:
 * frame the script where that matters. Throws LvsError (exit 5) when there is no shell; anything later is in the result.
 */
export async function runScript(connection: Connection, script: string, options: ScriptOptions): Promise<ScriptResult> {
  const channel = await connection.shell();
  const budget: Budget = { left: options.limit ?? 16 * 1024 * 1024, spent: channel.close };
  const stdout = collect(channel.stdout, budget);
  const stderr = collect(channel.stderr, budget);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    channel.close();
  }, options.timeout * 1000);
  channel.stdin.end(script);
  const { exit } = await channel.ended;
  clearTimeout(timer);
  return { stdout: text(stdout), stderr: text(stderr), exit, truncated: budget.left < 0, timedOut };
}

interface Budget {
  /** Below 0: something was thrown away. */
  left: number;
  readonly spent: () => void;
}

function collect(stream: Readable, budget: Budget): readonly Buffer[] {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    if (budget.left > 0) chunks.push(chunk.subarray(0, budget.left));
    budget.left -= chunk.length;
    if (budget.left < 0) budget.spent();
  });
  return chunks;
}

/** Once over the whole, or a character that came in two pieces would be lost. */
function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}
