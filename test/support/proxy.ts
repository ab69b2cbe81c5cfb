/** Stands between a client and a server on loopback, and can cut the line or let it go silent. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly port: number;
  /** Ends every connection at once with a reset, as a firewall or a rebooting host does. */
  cut(): void;
  /** As `cut`, once, when so many more bytes have gone through, in both directions together. */
  cutAfter(bytes: number): void;
  /** Bytes that have gone through so far. */
  readonly passed: number;
  /** From now on no new connection comes through; `true` lets them again. Those that stand are left. */
  admit(more: boolean): void;
  /** From now on nothing gets through, and nobody is told: a pulled cable. */
  freeze(): void;
  stop(): Promise<void>;
}

export async function startProxy(target: number): Promise<CuttingProxy> {
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
  const server = createServer((client) => {
    if (!open) {
      client.resetAndDestroy();
      return;
    }
    const upstream = keep(connect(target, '127.0.0.1'));
    for (const socket of [client, upstream]) socket.on('data', count);
    keep(client).pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut,
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
