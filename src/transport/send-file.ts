/** Whole files, either way, on a channel of their own: proven by SHA-256 before they get their name, with progress. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EXIT, LvsError } from '../errors.ts';
import { newNonce } from '../sh/frame.ts';
import { readAnswers, readTail } from './answers.ts';
import { closeWhenSilent } from './silence.ts';
import { giveScript, receiveScript } from './transfer-scripts.ts';
import type { Channel, Connection } from './transport.ts';

/** Bytes so far, and in all. */
export type Progress = (done: number, total: number) => void;

export interface FileToSend {
  /** The file here. */
  readonly path: string;
  readonly sha256: string;
  /** The file there; absolute. Its directory is made, root-only, if need be. */
  readonly to: string;
  /** Octal digits: `600`. */
  readonly mode: string;
}

/** Seconds in which something must move; the sum of a large file takes a host some. */
const still = 300;

/** Sends a file, unless it is there already. Throws LvsError: `file.read`, `file.send` (exit 1), `ssh.lost` (exit 5). */
export async function sendFile(connection: Connection, file: FileToSend, progress: Progress): Promise<void> {
  const { size } = await stat(file.path).catch((cause) => {
    throw unreadable(file.path, cause);
  });
  const channel = await connection.shell();
  const silence = closeWhenSilent(channel, () => still);
  try {
    const nonce = newNonce();
    const complaints = readTail(channel.stderr);
    const next = readAnswers(channel.stdout, nonce);
    channel.stdin.write(receiveScript({ ...file, nonce }));
    let answer = await next();
    if (answer === 'send') {
      await stream(channel, file.path, (done) => {
        silence.heard();
        progress(done, size);
      });
      answer = await next();
    } else if (answer === 'have') progress(size, size);
    if (silence.tooLong !== undefined) throw failed(connection, 'file.send', `${file.path} was not sent to ${file.to}: ${stuck}`);
    if (answer !== 'have' && answer !== 'stored') throw await notSent(connection, channel, file, answer, complaints());
  } finally {
    silence.end();
    channel.close();
  }
}

const stuck = `nothing has moved for ${still} s`;

/** Only a file that cannot be read is thrown: when the host's end gave up, its answer says why. */
async function stream(channel: Channel, path: string, progress: (done: number) => void): Promise<void> {
  const source = createReadStream(path, { highWaterMark: 256 * 1024 });
  let failure: Error | undefined;
  source.once('error', (error) => {
    failure = error;
  });
  const count = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let done = 0;
    for await (const chunk of chunks) {
      yield chunk;
      done += chunk.length;
      progress(done);
    }
  };
  await pipeline(source, count, channel.stdin).catch(() => undefined);
  if (failure) throw unreadable(path, failure);
}

async function notSent(
  connection: Connection,
  channel: Channel,
  file: FileToSend,
  answer: string | undefined,
  said: string,
): Promise<LvsError> {
  const { exit } = await channel.ended;
  const what = `${file.path} was not sent to ${file.to}`;
  if (answer === undefined && exit === null) return lost(connection, what);
  const reason = answer?.startsWith('sum ')
    ? `its SHA-256 is ${answer.slice(4)}, not ${file.sha256}`
    : said || `the shell ended with ${exit}`;
  return failed(connection, 'file.send', `${what}: ${reason}`);
}

/** Fetches a file, root-only. Throws LvsError: `file.fetch` (exit 1), `ssh.lost` (exit 5). */
export async function fetchFile(
  connection: Connection,
  file: { readonly from: string; readonly to: string },
  progress: Progress,
): Promise<void> {
  const channel = await connection.shell();
  const nonce = newNonce();
  const part = `${file.to}.${nonce}.part`;
  const what = `${file.from} was not fetched`;
  const silence = closeWhenSilent(channel, () => still);
  try {
    const complaints = readTail(channel.stderr);
    channel.stdin.end(giveScript(file.from, nonce));
    const target = createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true });
    const body = createBody(nonce, (done, total) => {
      silence.heard();
      progress(done, total);
    });
    await pipeline(channel.stdout, body.stream, target).catch((cause) => {
      throw failed(connection, 'file.fetch', `${what}: ${silence.tooLong === undefined ? cause.message : stuck}`, cause);
    });
    const { exit } = await channel.ended;
    if (silence.tooLong !== undefined) throw failed(connection, 'file.fetch', `${what}: ${stuck}`);
    if (exit === null) throw lost(connection, what);
    if (exit !== 0) throw failed(connection, 'file.fetch', `${what}: ${complaints() || `the shell ended with ${exit}`}`);
    const wrong = body.wrong();
    if (wrong) throw failed(connection, 'file.fetch', `${what}: ${wrong}`);
    await rename(part, file.to);
  } finally {
    silence.end();
    channel.close();
    await rm(part, { force: true });
  }
}

/** Bytes: more than anything that is built. A host that promises more, or does not stop, must not fill this machine's disk. */
const bodyMost = 4 * 1024 ** 3;

/** What a login may print before the answer; more is forgotten from the front. */
const headMost = 64 * 1024;

/** Lets through what follows the answer, and knows afterwards whether it is what the answer promised. */
function createBody(nonce: string, progress: Progress): { readonly stream: Transform; readonly wrong: () => string | undefined } {
  const hash = createHash('sha256');
  let head: Buffer | undefined = Buffer.alloc(0) as Buffer;
  let promised = { sha256: '', size: 0 };
  let size = 0;
  const pass = (chunk: Buffer, done: TransformCallback): void => {
    size += chunk.length;
    hash.update(chunk);
    progress(size, promised.size);
    if (size > promised.size || promised.size > bodyMost)
      done(new Error(`the host promised ${promised.size} bytes, and sends more than it should`));
    else done(null, chunk);
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!head) return pass(chunk, done);
      head = Buffer.concat([head, chunk]);
      const found = new RegExp(`\\n${nonce} ([0-9a-f]{64}) (\\d+)\\n`).exec(head.toString('latin1'));
      if (!found) {
        head = head.subarray(-headMost);
        return done();
      }
      promised = { sha256: found[1] ?? '', size: Number(found[2]) };
      const rest = head.subarray(found.index + found[0].length);
      head = undefined;
      pass(rest, done);
    },
  });
  const wrong = (): string | undefined => {
    if (head) return 'the host did not answer';
    if (size !== promised.size) return `${size} bytes came instead of ${promised.size}`;
    return hash.digest('hex') === promised.sha256 ? undefined : 'it changed on the way, or while it was read';
  };
  return { stream, wrong };
}

function unreadable(path: string, cause: unknown): LvsError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LvsError(`cannot read ${path}: ${reason}`, { code: 'file.read', exitCode: EXIT.taskFailed, cause });
}

function failed({ host }: Connection, code: string, message: string, cause?: unknown): LvsError {
  return new LvsError(message, { code, exitCode: EXIT.taskFailed, where: { host: host.name }, ...(cause !== undefined && { cause }) });
}

function lost({ host }: Connection, what: string): LvsError {
  return new LvsError(`${what}: the line broke`, { code: 'ssh.lost', exitCode: EXIT.unreachable, where: { host: host.name } });
}
