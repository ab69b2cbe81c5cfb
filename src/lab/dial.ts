import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { EXIT, LvsError } from '../errors.ts';
import type { Dial } from '../transport/transport.ts';

/** Opens connections inside the lab in `directory`, through its gateway's socket. Throws LvsError `lab.dial` (exit 5). */
export function labDial(directory: string): Dial {
  return (address, port) => ask(connect({ path: gatewaySocket(directory), allowHalfOpen: true }), address, port);
}

export function gatewaySocket(directory: string): string {
  return join(directory, 'gateway.sock');
}

function ask(socket: Socket, address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const fail = (why: string): void => {
      socket.destroy();
      reject(
        new LvsError(`${address} port ${port} in the lab: ${why}`, {
          code: 'lab.dial',
          exitCode: EXIT.unreachable,
          hint: '`lvsctl lab status FILE` says which machines run',
        }),
      );
    };
    const onError = (error: Error): void => fail(error.message);
    const onEnd = (): void => fail('the gateway hung up');
    // Read on demand, not by 'data': what follows the answer stays in the socket until its user listens.
    const read = (): void => {
      head = Buffer.concat([head, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
      const end = head.indexOf('\n');
      if (end < 0) return;
      socket.off('readable', read).off('error', onError).off('end', onEnd);
      const answer = head.subarray(0, end).toString();
      if (answer !== 'ok') fail(answer.replace(/^error /, ''));
      else {
        if (head.length > end + 1) socket.unshift(head.subarray(end + 1));
        socket.on('error', () => {}); // an error also closes it, which its user sees
        resolve(socket);
      }
    };
    socket.on('readable', read).on('error', onError).on('end', onEnd);
    socket.write(`${address} ${port}\n`);
  });
}

/** Whether an ssh server greets at `address` within `limit` milliseconds. */
export async function greets(dial: Dial, address: string, limit: number): Promise<boolean> {
  const line = await dial(address, 22).catch(() => undefined);
  if (!line) return false;
  return new Promise((resolve) => {
    const settle = (greeted: boolean): void => {
      clearTimeout(timer);
      line.destroy();
      resolve(greeted);
    };
    const timer = setTimeout(() => settle(false), limit);
    line.once('data', (chunk: Buffer) => settle(chunk.toString('latin1').startsWith('SSH-')));
    line.once('end', () => settle(false));
    line.once('error', () => settle(false));
  });
}
