import { PassThrough } from 'node:stream';
import type { Channel, Connection } from '../../src/transport/transport.ts';
import { s0Fleet } from './plan-context.ts';

/** A host that answers what it is told with this, whatever it is, and never ends. */
export function wedged(answer: (sent: string) => string): Connection {
  const [host] = s0Fleet.hosts as readonly [Connection['host']];
  const shell = async (): Promise<Channel> => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()] as const;
    stdin.setEncoding('utf8').on('data', (sent: string) => stdout.write(answer(sent)));
    let over = (_: { exit: number | null }): void => undefined;
    const ended = new Promise<{ exit: number | null }>((resolve) => {
      over = resolve;
    });
    return { stdin, stdout, stderr, ended, close: () => stdout.end(() => over({ exit: null })) };
  };
  return { host, channels: 0, shell, close: () => undefined };
}
