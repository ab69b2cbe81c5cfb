/** The real sudo, with accounts and rules of its own (test/support/own-etc.ts); what only a stand-in can provoke is in sudo.test.ts. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { runScript } from '../../src/transport/run-script.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import type { Connection } from '../../src/transport/transport.ts';
import { type AccountOptions, password, startSshdWithAccount } from '../support/own-etc.ts';
import { sshdHost, writeKnownHosts } from '../support/sshd.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function connectTo(options: AccountOptions, sudoPassword?: string): Promise<Connection> {
  const sshd = await startSshdWithAccount(options);
  cleanups.push(sshd.stop);
  const transport = sshTransport({
    knownHosts: [writeKnownHosts(sshd)],
    agentSocket: '',
    ...(sudoPassword !== undefined && { sudoPassword: async () => sudoPassword }),
  });
  const connection = await transport.connect(sshdHost(sshd, { user: sshd.user, sudo: true }));
  cleanups.push(() => connection.close());
  return connection;
}

const withPassword = 'deploy ALL=(ALL:ALL) ALL';
const withoutPassword = 'deploy ALL=(ALL:ALL) NOPASSWD: ALL';
const noisy = 'echo welcome; echo careful >&2; printf "no newline"; printf "none here" >&2\n';

const script = 'echo "out $(id -u) $SUDO_USER"; echo err >&2; cat; exit 7\n';
const wanted = { stdout: 'out 0 deploy\n', stderr: 'err\n', exit: 7 };

describe.each(['/bin/bash', '/bin/dash'])('through %s', (shell) => {
  it.each([
    ['with the password', withPassword, password],
    ['without one where none is asked for', withoutPassword, 'touch /harm'],
  ])('a root shell is had %s', async (_, rule, given) => {
    const connection = await connectTo({ shell, sudoers: [rule], bashrc: noisy }, given);
    const results = await Promise.all([1, 2, 3, 4].map(() => runScript(connection, script, { timeout: 20 })));
    for (const result of results) expect(result).toMatchObject(wanted);
  });
});

describe('sudo on a terminal of its own (use_pty)', () => {
  it.each([
    ['with the password', withPassword],
    ['without one', withoutPassword],
  ])('%s: outputs, exit and end of input stay what they are', async (_, rule) => {
    const connection = await connectTo({ sudoers: ['Defaults use_pty', rule], bashrc: noisy }, password);
    expect(await runScript(connection, script, { timeout: 20 })).toMatchObject(wanted);
  });

  it('bytes pass unchanged, both ways', async () => {
    const connection = await connectTo({ sudoers: ['Defaults use_pty', withPassword] }, password);
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256)).toString('latin1');
    const channel = await connection.shell();
    channel.stdout.setEncoding('latin1');
    channel.stdin.write('echo ready; exec cat\n');
    // A shell may read more than its line: the bytes wait until it has answered.
    expect(await once(channel.stdout, 'data')).toEqual(['ready\n']);
    const answer = text(channel.stdout);
    channel.stdin.end(Buffer.from(bytes, 'latin1'));
    expect((await answer) === bytes).toBe(true);
    expect(await channel.ended).toEqual({ exit: 0 });
  });
});

describe('no root shell', () => {
  it('with a wrong password', async () => {
    const connection = await connectTo({ sudoers: [withPassword] }, 'wrong');
    await expect(connection.shell()).rejects.toMatchObject({
      code: 'ssh.sudo-password',
      message: 'sudo does not accept the password of deploy',
    });
  });

  it('without a password where one is asked for', async () => {
    const connection = await connectTo({ sudoers: [withPassword] });
    await expect(connection.shell()).rejects.toMatchObject({
      code: 'ssh.sudo-password',
      hint: expect.stringContaining('--ask-become-pass'),
    });
  });

  it('for who is not in sudoers, in its words', async () => {
    const connection = await connectTo({}, password);
    await expect(connection.shell()).rejects.toMatchObject({
      code: 'ssh.sudo-refused',
      message: expect.stringContaining('deploy is not in the sudoers file'),
    });
  });

  it('where sudo wants a terminal (requiretty), in its words', async () => {
    const connection = await connectTo({ sudoers: ['Defaults requiretty', withPassword] }, password);
    await expect(connection.shell()).rejects.toMatchObject({
      code: 'ssh.sudo-refused',
      message: expect.stringContaining('you must have a tty to run sudo'),
    });
  });
});
