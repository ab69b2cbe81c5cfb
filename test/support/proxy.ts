/** Stands between a client and a server on loopback, and can cut the line or let it go silent. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

export interface CuttingProxy {
  readonly port: number;
  /** Ends every connection at once with a reset, as a firewall or a rebooting host does. */
  cut(): void;
  /** As `cut`, once, when so many more bytes have gone through, in both directions together. */
  cutAfter(bytes: number): void;
  /** Bytes that have gone through so far. */
  readonly passed: number;
  /** From now on every connection passes so many bytes at a time, that many milliseconds apart. */
  trickle(bytes: number, milliseconds: number): void;
  /** From now on what a new connection carries arrives so many milliseconds later, however much it is. */
  delay(milliseconds: number): void;
  /** From now on no new connection comes through; `true` lets them again. Those that stand are left. */
  admit(more: boolean): void;
  /** From now on nothing gets through, and nobody is told: a pulled cable. */
  freeze(): void;
  stop(): Promise<void>;
}

/** Listens on an address of this machine, for `target` on its loopback. */
export async function startProxy(target: number, own = '127.0.0.1'): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  let passed = 0;
  let limit = Number.POSITIVE_INFINITY;
  const count = (chunk: Buffer): void => {
    passed += chunk.length;
    if (passed < limit) return;
    limit = Number.POSITIVE_INFINITY;
    cut();
  };
  let open = true;
  let through: (() => Transform) | undefined;
  const server = createServer((client) => {
    if (!open) {
      client.resetAndDestroy();
      return;
    }
    const upstream = keep(connect(target, '127.0.0.1'));
    for (const socket of [client, upstream]) socket.on('data', count);
    if (through) {
      keep(client);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const)
        from.pipe(through()).pipe(to);
    } else keep(client).pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  }).listen(0, own);
  await once(server, 'listening');
  const address = server.address();
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut,
    trickle: (bytes, milliseconds) => {
      through = () => dripping({ bytes, milliseconds });
    },
    delay: (milliseconds) => {
      through = () => delaying(milliseconds);
    },
    admit: (more) => {
      open = more;
    },
    cutAfter: (bytes) => {
      limit = passed + bytes;
    },
    get passed() {
      return passed;
    },
    freeze: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    stop: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Drip {
  readonly bytes: number;
  readonly milliseconds: number;
}

function dripping({ bytes, milliseconds }: Drip): Transform {
  return new Transform({
    async transform(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += bytes) {
        await pause(milliseconds);
        this.push(chunk.subarray(at, at + bytes));
      }
      done();
    },
  });
}

function delaying(milliseconds: number): Transform {
  let last: Promise<unknown> = Promise.resolve();
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      last = pause(milliseconds).then(() => this.push(chunk));
      done();
    },
    flush(done) {
      last.then(() => done());
    },
  });
}
