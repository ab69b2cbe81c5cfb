/** Makes a `Channel` of whatever carries one: three streams of its own, so that nothing a reader does to them can harm the carrier. */
import { PassThrough, type Readable, type Transform, type Writable } from 'node:stream';
import { deferred } from './deferred.ts';
import type { Channel } from './transport.ts';

/** A running remote shell, as its carrier shows it. */
export interface Wire {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the shell has ended or the line is gone. The streams may still hold data then. */
  readonly over: Promise<unknown>;
  /** Asked after the streams have ended: null when the line broke or a signal ended the shell. */
  readonly exit: () => number | null;
  /** Closes this end and takes what still comes, so that the carrier can let go of it. */
  readonly hangUp: () => void;
}

/** What the two outputs pass through on their way to the reader. */
export interface Filters {
  readonly stdout: Transform;
  readonly stderr: Transform;
}

/** A stream that broke says so by ending, and by `exit` being null: an `error` event that nobody listens to would end the process. */
export function toChannel(wire: Wire, filters: Filters = { stdout: new PassThrough(), stderr: new PassThrough() }): Channel {
  const { stdout, stderr } = filters;
  for (const stream of [wire.stdin, wire.stdout, wire.stderr, stdout, stderr]) stream.on('error', () => undefined);
  wire.stdout.pipe(stdout);
  wire.stderr.pipe(stderr);
  const closed = deferred<void>();
  const close = (): void => {
    for (const stream of [wire.stdin, stdout, stderr]) stream.destroy();
    wire.hangUp();
    closed.resolve();
  };
  return { stdin: wire.stdin, stdout, stderr, ended: untilEnded(wire, stdout, stderr, closed.promise), close };
}

async function untilEnded(wire: Wire, stdout: Readable, stderr: Readable, closedHere: Promise<void>): Promise<{ exit: number | null }> {
  await Promise.race([wire.over, closedHere]);
  wire.stdin.destroy();
  await Promise.all([drained(stdout), drained(stderr)]);
  return { exit: wire.exit() };
}

/** Read to its end, or never touched by a reader: what it holds stays there for one who comes later. */
function drained(stream: Readable): Promise<void> | undefined {
  if (stream.readableFlowing === null || stream.readableEnded || stream.destroyed) return undefined;
  return new Promise((resolve) => {
    stream.once('end', resolve).once('close', resolve);
  });
}
