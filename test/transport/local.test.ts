import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { localTransport } from '../../src/transport/local.ts';
import type { Connection } from '../../src/transport/transport.ts';

const connect = (): Promise<Connection> =>
  localTransport().connect({
    name: 'here',
    role: 'client',
    address: '127.0.0.1',
    ssh: { user: 'root', port: 22, timeout: 10 },
    interfaces: [{ name: 'lo', addresses: ['127.0.0.1/8'] }],
    vars: {},
  });

it('runs /bin/sh, and counts', async () => {
  const connection = await connect();
  const channel = await connection.shell();
  channel.stdin.end('echo "$0"; echo err >&2; exit 7\n');
  const [stdout, stderr, { exit }] = await Promise.all([text(channel.stdout), text(channel.stderr), channel.ended]);
  expect({ stdout, stderr, exit, channels: connection.channels }).toEqual({ stdout: '/bin/sh\n', stderr: 'err\n', exit: 7, channels: 1 });
});

it('keeps what nobody has read yet', async () => {
  const channel = await (await connect()).shell();
  channel.stdin.end('echo out; exit 4\n');
  expect(await channel.ended).toEqual({ exit: 4 });
  expect(await text(channel.stdout)).toBe('out\n');
});

it('has no exit code when a signal ended the shell, or it was closed here', async () => {
  const connection = await connect();
  const killed = await connection.shell();
  killed.stdin.end('kill -9 $$\n');
  expect(await killed.ended).toEqual({ exit: null });
  const closed = await connection.shell();
  closed.close();
  expect(await closed.ended).toEqual({ exit: null });
});

it('lets a writer fail when the shell has ended', async () => {
  const channel = await (await connect()).shell();
  async function* endless(): AsyncGenerator<Buffer> {
    yield Buffer.from('exit 3\n');
    for (;;) yield Buffer.alloc(65536, '#');
  }
  await expect(pipeline(endless, channel.stdin)).rejects.toThrow();
  expect(await channel.ended).toEqual({ exit: 3 });
});

it('has four at once, and none after it was closed', async () => {
  const connection = await connect();
  const open = await Promise.all([1, 2, 3, 4].map(() => connection.shell()));
  const fifth = connection.shell();
  const sixth = connection.shell();
  open[1]?.stdin.end();
  await fifth;
  connection.close();
  await expect(sixth).rejects.toMatchObject({ code: 'ssh.lost' });
  await Promise.all(open.map((channel) => channel.ended));
  expect(connection.channels).toBe(5);
});
