/** A host that does not answer yet is asked again; one that has answered is not. */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { LvsError } from '../../src/errors.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import { makeKey, type Sshd, sshdHost, startSshd, writeKnownHosts } from '../support/sshd.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(): Promise<Sshd> {
  const sshd = await startSshd();
  cleanups.push(sshd.stop);
  return sshd;
}

/** Stands before the server: hangs up on the first `refusals` who come, lets the others through. */
async function bootingHost(
  sshd: Sshd,
  refusals: number,
): Promise<{ readonly port: number; readonly server: Server; readonly knocks: () => number }> {
  let knocks = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    knocks += 1;
    if (knocks <= refusals) return socket.destroy();
    const upstream = connect(sshd.port, '127.0.0.1').on('error', () => undefined);
    socket.pipe(upstream).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return { port: (server.address() as { port: number }).port, server, knocks: () => knocks };
}

async function attempt(
  sshd: Sshd,
  port: number,
  timeout: number,
  known = sshd.knownHostsLine,
  key = sshd.clientKeyFile,
): Promise<LvsError | undefined> {
  const knownHosts = [writeKnownHosts(sshd, known.replace(`:${sshd.port} `, `:${port} `))];
  try {
    const connection = await sshTransport({ configFile: '', agentSocket: '', knownHosts }).connect(sshdHost(sshd, { port, timeout, key }));
    connection.close();
    return undefined;
  } catch (error) {
    return error as LvsError;
  }
}

describe('is waited for', () => {
  it('while nothing listens', async () => {
    const sshd = await serve();
    const { port, server } = await bootingHost(sshd, 0);
    server.close();
    await once(server, 'close');
    const attempting = attempt(sshd, port, 20);
    await pause(1000);
    server.listen(port, '127.0.0.1');
    expect(await attempting).toBeUndefined();
  });

  it('while it hangs up before it has shown a key', async () => {
    const sshd = await serve();
    const { port, knocks } = await bootingHost(sshd, 3);
    expect(await attempt(sshd, port, 20)).toBeUndefined();
    expect(knocks()).toBe(4);
  });

  it('no longer than its timeout, and then with the reason', async () => {
    const sshd = await serve();
    const { port, server } = await bootingHost(sshd, 0);
    server.close();
    await once(server, 'close');
    const began = Date.now();
    expect(await attempt(sshd, port, 1)).toMatchObject({
      code: 'ssh.unreachable',
      message: expect.stringMatching(/: connection refused$/),
    });
    expect(Date.now() - began).toBeLessThan(5000);
  });
});

describe('is asked once', () => {
  it.each([
    ['when it refuses the login', 'ssh.refused', (sshd: Sshd) => ({ known: sshd.knownHostsLine, key: stranger(sshd) })],
    ['when it shows a key that is not its own', 'ssh.host-key-changed', (sshd: Sshd) => ({ known: other(sshd), key: sshd.clientKeyFile })],
    ['when it shows a key that nobody knows', 'ssh.host-key-unknown', (sshd: Sshd) => ({ known: '', key: sshd.clientKeyFile })],
  ])('%s', async (_, code, make) => {
    const sshd = await serve();
    const { port, knocks } = await bootingHost(sshd, 0);
    const { known, key } = make(sshd);
    expect(await attempt(sshd, port, 20, known, key)).toMatchObject({ code, exitCode: 5 });
    expect(knocks()).toBe(1);
  });

  const stranger = (sshd: Sshd): string => {
    makeKey(`${sshd.dir}/stranger`, 'ed25519');
    return `${sshd.dir}/stranger`;
  };
  const other = (sshd: Sshd): string => `[127.0.0.1]:${sshd.port} ${makeKey(`${sshd.dir}/other`, 'ed25519')}\n`;
});
