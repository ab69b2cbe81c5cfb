/** A channel of ssh2 as a `Wire`. What ssh2 leaves to its user is done here: backpressure of the socket, and writers that must not wait
 * for ever on a channel that died. */
import { Duplex, Writable } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import type { Wire } from '../channel.ts';
import { askForSign } from './keepalive.ts';

/** A logged-in client and the stream below it. */
export interface Carrier {
  readonly client: Client;
  readonly socket: Duplex;
}

/** Starts `command` on the host. Rejects with ssh2's own error; the channel is not open then. */
export function exec(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

/** A stream to `address` as the host sees it. Rejects with ssh2's own error; `reason` is the number of RFC 4254, 5.1. */
export function forward(line: Carrier, address: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    line.client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => (error ? reject(error) : resolve(toStream(channel, line))));
  });
}

/** What ssh2 gives would take megabytes whatever the line below has room for, and its writers wait for ever once it is closed. */
function toStream(raw: ClientChannel, line: Carrier): Duplex {
  const out = writer(raw, line);
  const stream = new Duplex({
    read: () => void raw.resume(),
    write: (chunk, encoding, done) => void out.write(chunk, encoding, done),
    final: (done) => void out.end(done),
    destroy: (error, done) => {
      out.destroy();
      raw.close();
      raw.resume();
      done(error);
    },
  });
  raw.on('data', (chunk: Buffer) => {
    if (!stream.destroyed && !stream.push(chunk)) raw.pause();
  });
  raw.once('end', () => stream.push(null));
  // What has come is read first; what is still to be written never will be.
  raw.once('close', () => (stream.readableEnded ? stream.destroy() : stream.once('end', () => stream.destroy())));
  for (const one of [raw, out, stream]) one.on('error', () => undefined);
  raw.stderr.resume();
  return stream;
}

/** True when the host refused one more channel on a connection that is sound. */
export function isOpenFailure(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('(SSH) Channel open failure');
}

export function sshWire(raw: ClientChannel, line: Carrier): Wire {
  const { client } = line;
  let exit: number | null = null;
  let broken = false;
  const over = new Promise<void>((resolve) => {
    const lose = (): void => {
      // An exit code that came before the rest of the output would vouch for output that is not whole.
      broken = !raw.readableEnded || !raw.stderr.readableEnded;
      resolve();
    };
    client.once('close', lose);
    raw.once('exit', (code: number | null) => {
      exit = code;
      resolve();
    });
    raw.once('close', () => {
      client.off('close', lose);
      resolve();
    });
  });
  const hangUp = (): void => {
    broken ||= !raw.readableEnded;
    raw.close();
    for (const stream of [raw, raw.stderr]) stream.unpipe().resume();
  };
  return { stdin: writer(raw, line), stdout: raw, stderr: raw.stderr, over, exit: () => (broken ? null : exit), hangUp };
}

/** Bytes: less than one SSH packet can carry, so that on a line of a few kilobytes a second one is through before the host counts as silent. */
const slice = 16 * 1024;

/**
 * ssh2 writes to its socket as much as the channel's window allows, whatever the socket says: on a slow line megabytes would then stand
 * before anything else. So what is written goes in slices, each when the socket has room. The answer to the question behind each
 * of them shows that the host is there, however much is still on the way to it.
 */
function writer(raw: ClientChannel, { client, socket }: Carrier): Writable {
  const send = (chunk: Buffer, done: (error?: Error | null) => void): void => {
    raw.write(chunk.subarray(0, slice), (error) => {
      const rest = chunk.subarray(slice);
      const next = (): void => (rest.length > 0 ? send(rest, done) : done());
      if (error) return done(error);
      if (chunk.length >= slice) askForSign(client);
      if (socket.writableNeedDrain) socket.once('drain', next);
      else next();
    });
  };
  return new Writable({
    highWaterMark: 4 * slice,
    write: (chunk: Buffer, _encoding, done) => send(chunk, done),
    final(done) {
      raw.end();
      done();
    },
  });
}
