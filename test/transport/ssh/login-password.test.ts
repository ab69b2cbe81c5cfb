/** Login by password on an account of its own (test/support/own-etc.ts), by either of the two methods that servers have for it. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LvsError } from '../../../src/errors.ts';
import { runScript } from '../../../src/transport/run-script.ts';
import { sshTransport } from '../../../src/transport/ssh/ssh.ts';
import { password, startSshdWithAccount } from '../../support/own-etc.ts';
import { type Sshd, sshdHost, writeKnownHosts } from '../../support/sshd.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const methods = {
  password: ['PasswordAuthentication yes'],
  'keyboard-interactive': ['KbdInteractiveAuthentication yes'],
  both: ['PasswordAuthentication yes', 'KbdInteractiveAuthentication yes'],
};

async function serve(config: readonly string[]): Promise<Sshd & { readonly user: string }> {
  const sshd = await startSshdWithAccount({ config, sudoers: ['deploy ALL=(ALL:ALL) ALL'] });
  cleanups.push(sshd.stop);
  return sshd;
}

async function logIn(sshd: Sshd & { readonly user: string }, given: string, useKey = false): Promise<LvsError | string> {
  vi.stubEnv('HOME', '/nonexistent');
  const transport = sshTransport({
    ...{ configFile: '', agentSocket: '', knownHosts: [writeKnownHosts(sshd)] },
    loginPassword: async () => given,
    sudoPassword: async () => password,
  });
  const { key, ...ssh } = sshdHost(sshd, { user: sshd.user, sudo: true }).ssh;
  try {
    const connection = await transport.connect({ ...sshdHost(sshd), ssh: { ...ssh, ...(useKey && key && { key }) } });
    cleanups.push(() => connection.close());
    return (await runScript(connection, 'echo "$(id -un), as $SUDO_USER"\n', { timeout: 20 })).stdout;
  } catch (error) {
    return error as LvsError;
  }
}

/** What the server counts against the account. */
const failures = (sshd: Sshd): number => [...sshd.log().matchAll(/Failed (?:password|keyboard-interactive\/pam)/g)].length;

describe.each(Object.entries(methods))('where the host takes %s', (_, config) => {
  it('the password lets in, and sudo has its own', async () => {
    expect(await logIn(await serve(config), password)).toBe('root, as deploy\n');
  });

  it('a wrong one is tried once, in one connection, and is not said', async () => {
    const sshd = await serve(config);
    const error = await logIn(sshd, 'wrong-secret');
    expect(error).toMatchObject({
      code: 'ssh.refused',
      exitCode: 5,
      where: { host: 'web1' },
      message: expect.stringContaining('tried: password'),
    });
    expect(JSON.stringify(error)).not.toContain('wrong-secret');
    await vi.waitFor(() => expect([failures(sshd), sshd.log().split('Connection from').length - 1]).toEqual([1, 1]));
  });
});

it('a key that is taken comes first: the password is not sent', async () => {
  const sshd = await serve(methods.both);
  expect(await logIn(sshd, 'wrong-secret', true)).toBe('root, as deploy\n');
  expect(failures(sshd)).toBe(0);
});

it('a host that takes neither is refused without it', async () => {
  const sshd = await serve([]);
  expect(await logIn(sshd, password)).toMatchObject({ code: 'ssh.refused' });
  expect(failures(sshd)).toBe(0);
});
