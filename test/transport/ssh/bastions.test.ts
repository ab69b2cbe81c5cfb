/** Hosts that are reached through others: real servers on loopback, and an ssh_config that says the way. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LvsError } from '../../../src/errors.ts';
import { runScript } from '../../../src/transport/run-script.ts';
import { type SshOptions, sshTransport } from '../../../src/transport/ssh/ssh.ts';
import type { Connection } from '../../../src/transport/transport.ts';
import { password, startSshdWithAccount } from '../../support/own-etc.ts';
import { startProxy } from '../../support/proxy.ts';
import { makeKey, type Sshd, type SshdOptions, startSshd } from '../../support/sshd.ts';
import { makeHome, section, silentHost } from '../../support/sshd-trust.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(options: SshdOptions = {}): Promise<Sshd> {
  const sshd = await startSshd(options);
  cleanups.push(sshd.stop);
  return sshd;
}

/** Whoever works here has this ssh_config and knows these hosts. */
function live(config: string, knownHosts: readonly string[], parent: Sshd): void {
  vi.stubEnv('HOME', makeHome(parent.dir, config, knownHosts));
  vi.stubEnv('SSH_AUTH_SOCK', '');
}

async function connect(name: string, options: SshOptions = {}, timeout = 10): Promise<Connection> {
  const connection = await sshTransport(options).connect(silentHost(name, { timeout }));
  cleanups.push(() => connection.close());
  return connection;
}

const failure = (name: string, timeout = 10): Promise<LvsError> =>
  connect(name, {}, timeout).then(
    () => expect.unreachable('it connected'),
    (error: LvsError) => error,
  );

/** A port whose queue is full: who connects gets no answer, neither yes nor no. */
async function fullPort(): Promise<number> {
  const listen =
    'import socket, time\ns = socket.socket()\ns.bind(("127.0.0.1", 0))\ns.listen(0)\nprint(s.getsockname()[1], flush=True)\ntime.sleep(60)';
  const child = spawn('python3', ['-c', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(() => child.kill());
  const port = Number(String((await once(child.stdout, 'data'))[0]));
  const waiting = [1, 2, 3].map(() => createConnection(port, '127.0.0.1').on('error', () => undefined));
  cleanups.push(...waiting.map((socket) => () => socket.destroy()));
  await Promise.race(waiting.map((socket) => once(socket, 'connect')));
  return port;
}

/** sshd writes a line before we see what it tells of, but we may read it later. */
const eventually = (read: () => unknown, expected: unknown): Promise<void> =>
  vi.waitFor(() => expect(read()).toEqual(expected), { timeout: 5000 });

const logins = (sshd: Sshd): number => sshd.log().split('Accepted publickey').length - 1;
const connections = (sshd: Sshd): number => sshd.log().split('Connection from').length - 1;

interface Chain {
  readonly outer: Sshd;
  readonly inner: Sshd;
  readonly target: Sshd;
}

/** web1 behind inner behind outer; what is not said otherwise is known and right. */
async function chain(said: { readonly known?: (chain: Chain) => readonly string[]; readonly inner?: SshdOptions } = {}): Promise<Chain> {
  const all = { outer: await serve(), inner: await serve(said.inner), target: await serve() };
  const config = [
    section('outer', all.outer),
    section('inner', all.inner),
    section('web*', all.target, 'ProxyJump outer,inner', 'User root'),
  ].join('\n');
  const known = said.known?.(all) ?? [all.outer, all.inner, all.target].map((sshd) => sshd.knownHostsLine);
  live(config, known, all.outer);
  return all;
}

it('a bastion that asks for a password is not told that of the hosts', async () => {
  const gate = await startSshdWithAccount({
    config: ['PasswordAuthentication yes', 'KbdInteractiveAuthentication yes', 'PubkeyAuthentication no'],
  });
  cleanups.push(gate.stop);
  const target = await serve();
  const ways = [section('gate', gate, `User ${gate.user}`), section('web1', target, 'ProxyJump gate')].join('\n');
  live(ways, [gate.knownHostsLine, target.knownHostsLine], target);
  const error = await connect('web1', { loginPassword: async () => password }).then(
    () => expect.unreachable('it connected'),
    (refusal: LvsError) => refusal,
  );
  expect(error).toMatchObject({ code: 'ssh.refused', message: expect.stringMatching(/^on the way, at gate: /) });
  expect(gate.log()).not.toMatch(/(?:Failed|Accepted) (?:password|keyboard-interactive)/);
});

describe('two bastions in a row', () => {
  it('carry a shell, and both were logged in to', async () => {
    const { outer, inner, target } = await chain();
    const connection = await connect('web1');
    expect(await runScript(connection, 'echo "$SSH_CONNECTION"; exit 3\n', { timeout: 10 })).toMatchObject({
      stdout: expect.stringContaining(` ${target.port}`),
      exit: 3,
    });
    await eventually(() => [outer, inner, target].map(logins), [1, 1, 1]);
  });

  it('carry megabytes both ways, unchanged', async () => {
    await chain();
    const channel = await (await connect('web1')).shell();
    channel.stdin.write('echo ready; exec cat\n');
    expect(String((await once(channel.stdout, 'data'))[0])).toBe('ready\n');
    const sent = Buffer.alloc(8 * 1024 * 1024, 'lvsctl ');
    const back = text(channel.stdout);
    channel.stdin.end(sent);
    expect((await back) === sent.toString()).toBe(true);
    expect(await channel.ended).toEqual({ exit: 0 });
  });

  it.each([
    ['outer', 'on the way, at outer: '],
    ['inner', 'on the way, at inner: '],
    ['target', ''],
  ] as const)('the key of %s is checked: nothing is sent through a host that shows another one', async (wrong, words) => {
    const all = await chain({
      known: (servers) =>
        (['outer', 'inner', 'target'] as const).map((name) => {
          const { port, knownHostsLine, dir } = servers[name];
          return name === wrong ? `[127.0.0.1]:${port} ${makeKey(`${dir}/another`, 'ed25519')}\n` : knownHostsLine;
        }),
    });
    const error = await failure('web1');
    expect(error).toMatchObject({ code: 'ssh.host-key-changed', exitCode: 5, where: { host: 'web1' } });
    expect(error.message).toMatch(new RegExp(`^${words}the host key of 127.0.0.1 port ${all[wrong].port} is not the known one`));
    // Once: a doubtful key is not asked for again.
    await eventually(() => [connections(all[wrong]), logins(all[wrong])], [1, 0]);
  });

  it('an unknown key on the way is refused with the line that would make it known', async () => {
    const { inner } = await chain({ known: ({ outer, target }) => [outer.knownHostsLine, target.knownHostsLine] });
    const error = await failure('web1');
    expect(error).toMatchObject({ code: 'ssh.host-key-unknown', where: { host: 'web1' } });
    expect(error.hint).toContain(inner.knownHostsLine.trim());
  });

  it('a bastion that lets nobody in is named, and asked once', async () => {
    const { inner } = await chain({ inner: { config: ['DenyUsers *'] } });
    const error = await failure('web1');
    expect(error).toMatchObject({ code: 'ssh.refused', exitCode: 5, where: { host: 'web1' } });
    expect(error.message).toContain('on the way, at inner: ');
    await eventually(() => connections(inner), 1);
  });

  it('a bastion that may not forward is named at once, with the settings that forbid it', async () => {
    await chain({ inner: { config: ['AllowTcpForwarding no'] } });
    const began = Date.now();
    const error = await failure('web1', 30);
    expect(error).toMatchObject({ code: 'ssh.unreachable', exitCode: 5, where: { host: 'web1' } });
    expect(error.message).toContain('inner, through which it goes, may not forward (AllowTcpForwarding, PermitOpen)');
    expect(Date.now() - began).toBeLessThan(20_000);
  });

  it('a host behind them that does not answer is that host’s failure, in the words of the bastion, over one connection', async () => {
    const { outer, inner, target } = await chain();
    await target.stop();
    cleanups.splice(cleanups.indexOf(target.stop), 1);
    const error = await failure('web1', 2);
    expect(error).toMatchObject({ code: 'ssh.unreachable', where: { host: 'web1' } });
    expect(error.message).toContain('inner, through which it goes, says: Connection refused');
    await eventually(() => [outer, inner].map(connections), [1, 1]);
  });

  it('a host behind it whose packets are lost does not hold it: it is left as soon as nobody waits any more', async () => {
    const [gate, target] = [await serve(), await serve()];
    const port = await fullPort();
    live(
      [section('gate', gate), section('web*', { ...target, port }, 'ProxyJump gate', 'User root')].join('\n'),
      [gate.knownHostsLine],
      gate,
    );
    expect(await failure('web1', 1)).toMatchObject({ code: 'ssh.unreachable', message: expect.stringContaining('no answer') });
    await eventually(() => /Disconnected from user|Connection closed by/.test(gate.log()), true);
  });

  it('a bastion that dies in the middle ends what goes through it, without an exit code', async () => {
    const [bastion, target] = [await serve(), await serve()];
    const cable = await startProxy(bastion.port);
    cleanups.push(cable.stop);
    const config = [section('gate', { ...bastion, port: cable.port }), section('web*', target, 'ProxyJump gate', 'User root')].join('\n');
    live(config, [`[127.0.0.1]:${cable.port} ${bastion.hostKeys.ed25519}\n`, target.knownHostsLine], bastion);
    const connection = await connect('web1');
    const channel = await connection.shell();
    channel.stdin.write('echo ready; cat\n');
    expect(String((await once(channel.stdout, 'data'))[0])).toBe('ready\n');
    cable.cut();
    expect(await channel.ended).toEqual({ exit: null });
    await expect(connection.shell()).rejects.toMatchObject({ code: 'ssh.lost', exitCode: 5 });
  });
});

describe('many hosts behind one bastion', () => {
  const names = Array.from({ length: 24 }, (_, number) => `web${number}`);

  async function behindOne(): Promise<{ readonly bastion: Sshd; readonly target: Sshd }> {
    const [bastion, target] = [await serve(), await serve()];
    const config = [section('gate', bastion), section('web*', target, 'ProxyJump gate', 'User root')].join('\n');
    live(config, [bastion.knownHostsLine, target.knownHostsLine], bastion);
    return { bastion, target };
  }

  async function connectAll(timeout = 10): Promise<readonly Connection[]> {
    const transport = sshTransport();
    const open = await Promise.all(names.map((name) => transport.connect(silentHost(name, { timeout }))));
    cleanups.push(() => open.map((connection) => connection.close()));
    return open;
  }

  /** The most who had knocked and were not yet let in. sshd writes of a login before the client hears of it. */
  function mostAtOnce(sshd: Sshd): number {
    const steps = [...sshd.log().matchAll(/^(Connection from|Accepted publickey)/gm)].map(([, word]) =>
      word === 'Connection from' ? 1 : -1,
    );
    let inside = 0;
    return Math.max(...steps.map((step) => (inside += step)));
  }

  it('share one connection to it, which ends with the last of them', async () => {
    const { bastion, target } = await behindOne();
    const [first, ...others] = await connectAll();
    await eventually(() => [logins(bastion), logins(target)], [1, names.length]);
    for (const connection of others) connection.close();
    expect(await runScript(first as Connection, 'echo alone\n', { timeout: 10 })).toMatchObject({ stdout: 'alone\n' });
    expect(bastion.log()).not.toContain('Disconnected');
    first?.close();
    await vi.waitFor(() => expect(bastion.log()).toContain('Disconnected'), { timeout: 5000 });
  });

  it('log in at most eight at a time', async () => {
    const { target } = await behindOne();
    await connectAll();
    await eventually(() => [connections(target), logins(target)], [names.length, names.length]);
    expect(mostAtOnce(target)).toBeLessThanOrEqual(8);
  });

  it('more do where there is no bastion; a server that drops those beyond its MaxStartups is asked again until all are in', async () => {
    const free = await serve();
    live(section('web*', free, 'User root'), [free.knownHostsLine], free);
    await connectAll();
    await eventually(() => logins(free), names.length);
    expect(mostAtOnce(free)).toBeGreaterThan(8);
    const strict = await serve({ config: ['MaxStartups 2:100:2'] });
    live(section('web*', strict, 'User root'), [strict.knownHostsLine], strict);
    await connectAll(60);
    await eventually(() => logins(strict), names.length);
    expect(strict.log()).toContain('past MaxStartups');
  });
});
