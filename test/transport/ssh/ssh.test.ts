import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LvsError } from '../../../src/errors.ts';
import { dialTcp } from '../../../src/transport/ssh/dial.ts';
import { type SshOptions, sshTransport } from '../../../src/transport/ssh/ssh.ts';
import type { Channel, Connection, Dial } from '../../../src/transport/transport.ts';
import { type CuttingProxy, startProxy } from '../../support/proxy.ts';
import { type Sshd, type SshdOptions, sshdHost, startSshd, writeKnownHosts } from '../../support/sshd.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(options: SshdOptions = {}): Promise<Sshd> {
  const sshd = await startSshd(options);
  cleanups.push(sshd.stop);
  return sshd;
}

async function connectTo(sshd: Sshd, options: SshOptions = {}, port = sshd.port): Promise<Connection> {
  const knownHosts = [writeKnownHosts(sshd, sshd.knownHostsLine.replace(`:${sshd.port} `, `:${port} `))];
  const connection = await sshTransport({ knownHosts, agentSocket: '', ...options }).connect(sshdHost(sshd, { port }));
  cleanups.push(() => connection.close());
  return connection;
}

async function throughProxy(options: SshOptions = {}): Promise<{ readonly connection: Connection; readonly proxy: CuttingProxy }> {
  const sshd = await serve();
  const proxy = await startProxy(sshd.port);
  cleanups.push(proxy.stop);
  return { connection: await connectTo(sshd, options, proxy.port), proxy };
}

/** Sends a line and waits for the next piece of output. */
async function ask(channel: Channel, line: string): Promise<string> {
  channel.stdin.write(`${line}\n`);
  const [answer] = await once(channel.stdout, 'data');
  return String(answer);
}

/** A line whose sending side can be held, so that what is written stands in its queue. */
async function slowLine(): Promise<{ dial: Dial; hold: () => void; release: () => void; queued: () => number }> {
  let gate = Promise.resolve();
  let release: () => void = () => undefined;
  let stream: Duplex | undefined;
  const dial: Dial = async (address, port) => {
    const socket = await dialTcp(5)(address, port);
    stream = new Duplex({
      read: () => void socket.resume(),
      write: (chunk, _encoding, done) => void gate.then(() => socket.write(chunk, done)),
      final: (done) => void socket.end(done),
      destroy: (error, done) => {
        socket.destroy();
        done(error);
      },
    });
    socket
      .on('data', (chunk) => stream?.push(chunk))
      .on('end', () => stream?.push(null))
      .on('error', () => stream?.destroy());
    return stream;
  };
  const hold = (): void => {
    gate = new Promise((resolve) => {
      release = resolve;
    });
  };
  return { dial, hold, release: () => release(), queued: () => stream?.writableLength ?? 0 };
}

describe('a shell', () => {
  it('reads its script from stdin and tells its outputs and its exit apart', async () => {
    const connection = await connectTo(await serve());
    const channel = await connection.shell();
    channel.stdin.end('echo out; echo err >&2; exit 7\n');
    const [stdout, stderr, { exit }] = await Promise.all([text(channel.stdout), text(channel.stderr), channel.ended]);
    expect({ stdout, stderr, exit }).toEqual({ stdout: 'out\n', stderr: 'err\n', exit: 7 });
  });

  it('is a plain /bin/sh', async () => {
    const sshd = await serve();
    const channel = await (await connectTo(sshd)).shell();
    channel.stdin.end('echo "$0"; ls -l /proc/$$/fd | grep -c pipe\n');
    expect(await text(channel.stdout)).toBe('/bin/sh\n3\n');
  });

  it('keeps what nobody has read yet, and says how it ended meanwhile', async () => {
    const channel = await (await connectTo(await serve())).shell();
    channel.stdin.end('echo out; echo err >&2; exit 4\n');
    expect(await channel.ended).toEqual({ exit: 4 });
    expect([await text(channel.stdout), await text(channel.stderr)]).toEqual(['out\n', 'err\n']);
  });

  it('has no exit code when a signal ended it', async () => {
    const channel = await (await connectTo(await serve())).shell();
    channel.stdin.end('kill -9 $$\n');
    expect(await channel.ended).toEqual({ exit: null });
  });

  it('lets a writer fail, not wait, when it ends before it has read everything', async () => {
    const channel = await (await connectTo(await serve())).shell();
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('exit 3\n');
      for (;;) yield Buffer.alloc(65536, '#');
    }
    await expect(pipeline(endless, channel.stdin)).rejects.toThrow();
    expect(await channel.ended).toEqual({ exit: 3 });
  });

  it('ends for its reader when closed here, and its place is free again', async () => {
    const connection = await connectTo(await serve(), { maxChannels: 1 });
    const channel = await connection.shell();
    expect(await ask(channel, 'echo ready; cat')).toBe('ready\n');
    channel.close();
    channel.close();
    expect(await channel.ended).toEqual({ exit: null });
    const next = await connection.shell();
    expect(await ask(next, 'echo next')).toBe('next\n');
  });
});

describe('backpressure', () => {
  it('stops the remote writer while nobody reads, and loses nothing', async () => {
    const size = 24 * 1024 * 1024;
    const channel = await (await connectTo(await serve())).shell();
    // The writer says how far it got on stderr once it cannot write any more: a marker before and after the great output.
    channel.stdin.end(`echo begin >&2; head -c ${size} /dev/zero; echo end >&2\n`);
    const said: string[] = [];
    channel.stderr.on('data', (chunk: Buffer) => said.push(String(chunk)));
    await once(channel.stdout, 'readable');
    expect(channel.stdout.readableLength).toBeLessThan(1024 * 1024);
    expect(said.join('')).not.toContain('end');
    let received = 0;
    for await (const chunk of channel.stdout) received += chunk.length;
    expect(received).toBe(size);
    expect(await channel.ended).toEqual({ exit: 0 });
    expect(said.join('')).toBe('begin\nend\n');
  });

  it('stops the writer here while the host does not read', async () => {
    const sshd = await serve();
    const channel = await (await connectTo(sshd)).shell();
    const fifo = join(sshd.dir, 'fifo');
    expect(await ask(channel, `mkfifo ${fifo}; echo ready; cat ${fifo}; exit 5`)).toBe('ready\n');
    let written = 0;
    const chunk = Buffer.alloc(65536, '#');
    for (let round = 0; round < 1000; round++) {
      if (!channel.stdin.writableNeedDrain) written += channel.stdin.write(chunk) ? chunk.length : 0;
      await new Promise(setImmediate);
    }
    expect(written).toBeLessThan(8 * 1024 * 1024);
    writeFileSync(fifo, '');
    expect(await channel.ended).toEqual({ exit: 5 });
  });
});

describe('channels', () => {
  it('are at most four at once; further ones wait in order', async () => {
    const connection = await connectTo(await serve());
    const open = await Promise.all([1, 2, 3, 4].map(() => connection.shell()));
    const order: number[] = [];
    const fifth = connection.shell().then((channel) => {
      order.push(5);
      return channel;
    });
    const sixth = connection.shell().then((channel) => {
      order.push(6);
      return channel;
    });
    // Messages of one connection are answered in order: had a fifth been asked for, it would be open before this answer.
    expect(await ask(open[0] as Channel, 'echo still here')).toBe('still here\n');
    expect(connection.channels).toBe(4);
    open[2]?.stdin.end();
    expect(await ask(await fifth, 'echo fifth')).toBe('fifth\n');
    expect(order).toEqual([5]);
    open[0]?.close();
    expect(await ask(await sixth, 'echo sixth')).toBe('sixth\n');
    expect(connection.channels).toBe(6);
  });

  it.each([1, 2, 3])('all get their turn on a host that allows %i at once', async (sessions) => {
    const sshd = await serve({ config: [`MaxSessions ${sessions}`] });
    const connection = await connectTo(sshd);
    const answers = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map(async (number) => {
        const channel = await connection.shell();
        channel.stdin.end(`echo ${number}\n`);
        const [stdout] = await Promise.all([text(channel.stdout), channel.ended]);
        return stdout;
      }),
    );
    expect(answers).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((number) => `${number}\n`));
    expect(connection.channels).toBe(8);
  });

  it('wait for one of ours on a host that allows one, longer than for a connection', async () => {
    const sshd = await serve({ config: ['MaxSessions 1'] });
    const transport = sshTransport({ knownHosts: [writeKnownHosts(sshd)], agentSocket: '' });
    const connection = await transport.connect(sshdHost(sshd, { timeout: 2 }));
    cleanups.push(() => connection.close());
    const first = await connection.shell();
    first.stdin.end('sleep 4; echo first\n');
    const second = await connection.shell();
    expect(await text(first.stdout)).toBe('first\n');
    expect(await ask(second, 'echo second')).toBe('second\n');
  });

  it('are refused with a reason by a host that allows none', async () => {
    const sshd = await serve({ config: ['MaxSessions 0'] });
    const knownHosts = [writeKnownHosts(sshd)];
    const connection = await sshTransport({ knownHosts, agentSocket: '' }).connect(sshdHost(sshd, { timeout: 1 }));
    await expect(connection.shell()).rejects.toMatchObject({ code: 'ssh.channel', exitCode: 5, where: { host: 'web1' } });
    connection.close();
  });

  it('end when the connection is closed, and those that wait are refused', async () => {
    const connection = await connectTo(await serve(), { maxChannels: 1 });
    const first = await connection.shell();
    expect(await ask(first, 'echo first; cat')).toBe('first\n');
    const second = connection.shell();
    connection.close();
    expect(await first.ended).toEqual({ exit: null });
    await expect(second).rejects.toMatchObject({ code: 'ssh.lost', exitCode: 5 });
    await expect(connection.shell()).rejects.toMatchObject({ code: 'ssh.lost' });
  });
});

describe('a line that breaks', () => {
  it('ends the streams and gives no exit code when it is cut in the middle of a script', async () => {
    const { connection, proxy } = await throughProxy();
    const channel = await connection.shell();
    expect(await ask(channel, 'echo step 1; cat')).toBe('step 1\n');
    proxy.cut();
    const [stdout, stderr, { exit }] = await Promise.all([text(channel.stdout), text(channel.stderr), channel.ended]);
    expect({ stdout, stderr, exit }).toEqual({ stdout: '', stderr: '', exit: null });
    await expect(connection.shell()).rejects.toMatchObject({ code: 'ssh.lost', exitCode: 5 });
  });

  it('settles a channel that nobody reads', async () => {
    const { connection, proxy } = await throughProxy();
    const channel = await connection.shell();
    channel.stdin.write('head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; cat\n');
    expect(await ask(await connection.shell(), 'echo another')).toBe('another\n');
    proxy.cut();
    expect(await channel.ended).toEqual({ exit: null });
  });

  it('fails a writer instead of letting it wait', async () => {
    const { connection, proxy } = await throughProxy();
    const channel = await connection.shell();
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('cat >/dev/null\n');
      for (let number = 0; ; number++) {
        if (number === 50) proxy.cut();
        yield Buffer.alloc(65536, '#');
      }
    }
    await expect(pipeline(endless, channel.stdin)).rejects.toThrow();
    expect(await channel.ended).toEqual({ exit: null });
  });

  it('is noticed by the keepalive when it goes silent', async () => {
    const { connection, proxy } = await throughProxy({ keepalive: { interval: 0.05, misses: 3 } });
    const channel = await connection.shell();
    expect(await ask(channel, 'echo step 1; cat')).toBe('step 1\n');
    proxy.freeze();
    expect(await channel.ended).toEqual({ exit: null });
  });

  it('stays up for long when it is only quiet', async () => {
    const { connection } = await throughProxy({ keepalive: { interval: 0.2, misses: 3 } });
    const channel = await connection.shell();
    channel.stdin.end('sleep 2; echo done\n');
    expect(await text(channel.stdout)).toBe('done\n');
    expect(await channel.ended).toEqual({ exit: 0 });
  });

  it('is not taken for dead while a great upload creeps through it', async () => {
    const sshd = await serve();
    const proxy = await startProxy(sshd.port);
    cleanups.push(proxy.stop);
    proxy.trickle(2000, 20);
    // The whole of it takes 4 s, a silence of 1.2 s is death.
    const channel = await (await connectTo(sshd, { keepalive: { interval: 0.3, misses: 3 } }, proxy.port)).shell();
    channel.stdin.end(`cat <<'end' | wc -c\n${'#'.repeat(399_999)}\nend\n`);
    expect((await text(channel.stdout)).trim()).toBe('400000');
    expect(await channel.ended).toEqual({ exit: 0 });
  });

  it('has room for the keepalive in the middle of a great upload: no more stands in the socket than it asks for', async () => {
    const line = await slowLine();
    const channel = await (await connectTo(await serve(), { dial: line.dial })).shell();
    expect(await ask(channel, 'echo ready; cat >/dev/null; exit 6')).toBe('ready\n');
    line.hold();
    channel.stdin.end(Buffer.alloc(4 * 1024 * 1024));
    for (let round = 0; round < 100; round++) await new Promise(setImmediate);
    expect(line.queued()).toBeLessThan(256 * 1024);
    line.release();
    expect(await channel.ended).toEqual({ exit: 6 });
  });
});

describe('a host that cannot be reached', () => {
  const attempt = async (sshd: Sshd, options: SshOptions, ssh: Parameters<typeof sshdHost>[1]): Promise<LvsError> => {
    const transport = sshTransport({ knownHosts: [writeKnownHosts(sshd)], agentSocket: '', ...options });
    return transport.connect(sshdHost(sshd, ssh)).then(
      () => expect.unreachable('it connected'),
      (error: LvsError) => error,
    );
  };
  const listen = async (greet: (socket: Socket) => void): Promise<number> => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      greet(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as { port: number }).port;
  };

  it('because nothing listens', async () => {
    const sshd = await startSshd();
    await sshd.stop();
    const transport = sshTransport({ knownHosts: [], agentSocket: '', acceptNew: false });
    const { key: _, ...ssh } = sshdHost(sshd, { timeout: 0.3 }).ssh;
    await expect(transport.connect({ ...sshdHost(sshd), ssh })).rejects.toMatchObject({
      code: 'ssh.unreachable',
      exitCode: 5,
      message: `cannot reach 127.0.0.1 port ${sshd.port}: connection refused`,
      where: { host: 'web1' },
    });
  });

  it.each([
    ['says nothing at all', 0.3, () => undefined, 'no login within 0.3 s'],
    ['greets and falls silent', 0.3, (socket: Socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'), 'no login within 0.3 s'],
    ['hangs up', 0.3, (socket: Socket) => socket.end(), 'Connection lost before handshake'],
    ['greets and hangs up', 0.3, (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'), 'closed the connection before the login'],
    ['speaks something else', 0.3, (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'Connection lost before handshake'],
  ])('because it %s', async (_, timeout, greet, message) => {
    const error = await attempt(await serve(), {}, { port: await listen(greet), timeout });
    expect(error).toMatchObject({ code: 'ssh.unreachable', exitCode: 5 });
    expect(error.message).toContain(message);
  });

  it('because the dial does not come back, and a late stream is not left open', async () => {
    const late = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    let give: (stream: Duplex) => void = () => undefined;
    const dial = (): Promise<Duplex> =>
      new Promise((resolve) => {
        give = resolve;
      });
    const error = await attempt(await serve(), { dial }, { timeout: 0.2 });
    expect(error).toMatchObject({ code: 'ssh.unreachable' });
    expect(error.message).toContain('no answer within 0.2 s');
    give(late);
    await once(late, 'close');
    expect(late.destroyed).toBe(true);
  });

  it('because the dial failed, in its own words', async () => {
    const error = await attempt(await serve(), { dial: () => Promise.reject(new Error('the bastion is down')) }, {});
    expect(error).toMatchObject({ code: 'ssh.unreachable' });
    expect(error.message).toContain('the bastion is down');
  });
});

describe('a dial of one’s own', () => {
  it('may be any stream, not only a socket', async () => {
    const sshd = await serve();
    const asked: unknown[] = [];
    const connection = await connectTo(sshd, {
      dial: async (address, port) => {
        asked.push([address, port]);
        const socket = await dialTcp(5)(address, port);
        return Duplex.from({ readable: socket, writable: socket });
      },
    });
    const channel = await connection.shell();
    channel.stdin.end('echo through\n');
    expect(await text(channel.stdout)).toBe('through\n');
    expect(asked).toEqual([['127.0.0.1', sshd.port]]);
  });

  it('is TCP without delay by default', async () => {
    const noDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
    cleanups.push(() => noDelay.mockRestore());
    await connectTo(await serve());
    expect(noDelay).toHaveBeenCalledExactlyOnceWith(true);
  });
});
