import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LvsError } from '../../../src/errors.ts';
import type { SshSettings } from '../../../src/model.ts';
import { sshTransport } from '../../../src/transport/ssh/ssh.ts';
import { makeKey, type Sshd, sshdHost, startSshd, writeKnownHosts } from '../../support/sshd.ts';

let sshd: Sshd;
let agent: ChildProcess;
let agentSocket: string;
let home: string;

beforeAll(async () => {
  sshd = await startSshd();
  agentSocket = join(sshd.dir, 'agent.sock');
  agent = spawn('ssh-agent', ['-D', '-a', agentSocket], { stdio: ['ignore', 'pipe', 'ignore'] });
  if (agent.stdout) await once(agent.stdout, 'data');
  makeKey(join(sshd.dir, 'stranger'), 'ed25519');
  makeKey(join(sshd.dir, 'stranger_rsa'), 'rsa');
});
afterAll(async () => {
  const ended = once(agent, 'exit');
  agent.kill();
  await ended;
  await sshd.stop();
});

let homes = 0;
beforeEach(() => {
  home = join(sshd.dir, `home-${homes++}`);
  mkdirSync(join(home, '.ssh'), { recursive: true });
  vi.stubEnv('HOME', home);
  vi.stubEnv('SSH_AUTH_SOCK', '');
  addToAgent('-q', '-D');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function addToAgent(...args: readonly string[]): void {
  execFileSync('ssh-add', args, { env: { ...process.env, SSH_AUTH_SOCK: agentSocket }, stdio: 'ignore' });
}

function lock(name: string): string {
  const file = join(sshd.dir, name);
  copyFileSync(sshd.clientKeyFile, file);
  execFileSync('ssh-keygen', ['-q', '-p', '-N', 'secret', '-f', file], { stdio: 'ignore' });
  return file;
}

async function attempt(key: string | undefined, settings: { agentSocket?: string; user?: string } = {}): Promise<LvsError | undefined> {
  const { key: _, ...ssh } = sshdHost(sshd).ssh;
  const wanted: SshSettings = { ...ssh, ...(settings.user && { user: settings.user }), ...(key && { key }) };
  const socket = settings.agentSocket === undefined ? {} : { agentSocket: settings.agentSocket };
  try {
    const connection = await sshTransport({ knownHosts: [writeKnownHosts(sshd)], ...socket }).connect({ ...sshdHost(sshd), ssh: wanted });
    connection.close();
    return undefined;
  } catch (error) {
    return error as LvsError;
  }
}

describe('lets in', () => {
  it('by the key file that the host names, also below ~', async () => {
    expect(await attempt(sshd.clientKeyFile)).toBeUndefined();
    copyFileSync(sshd.clientKeyFile, join(home, 'mine'));
    expect(await attempt('~/mine')).toBeUndefined();
  });

  it('by the agent, which may hold other keys too', async () => {
    addToAgent(join(sshd.dir, 'stranger'));
    addToAgent(join(sshd.dir, 'stranger_rsa'));
    addToAgent(sshd.clientKeyFile);
    expect(await attempt(undefined, { agentSocket })).toBeUndefined();
  });

  it('by the agent of SSH_AUTH_SOCK', async () => {
    addToAgent(sshd.clientKeyFile);
    vi.stubEnv('SSH_AUTH_SOCK', agentSocket);
    expect(await attempt(undefined)).toBeUndefined();
  });

  it.each(['id_ed25519', 'id_ecdsa', 'id_rsa'])('by ~/.ssh/%s, after the agent had nothing of use', async (name) => {
    addToAgent(join(sshd.dir, 'stranger'));
    copyFileSync(sshd.clientKeyFile, join(home, '.ssh', name));
    expect(await attempt(undefined, { agentSocket })).toBeUndefined();
  });

  it('by the third of three keys, within one connection', async () => {
    copyFileSync(join(sshd.dir, 'stranger'), join(home, '.ssh', 'id_ed25519'));
    copyFileSync(join(sshd.dir, 'stranger_rsa'), join(home, '.ssh', 'id_ecdsa'));
    copyFileSync(sshd.clientKeyFile, join(home, '.ssh', 'id_rsa'));
    const before = sshd.log().split('Connection from').length;
    expect(await attempt(undefined)).toBeUndefined();
    await vi.waitFor(() => expect(sshd.log().split('Connection from').length).toBe(before + 1));
  });

  it('by ~/.ssh when the agent is dead', async () => {
    copyFileSync(sshd.clientKeyFile, join(home, '.ssh', 'id_ed25519'));
    expect(await attempt(undefined, { agentSocket: join(home, 'no-agent') })).toBeUndefined();
  });

  it('by the agent when the named key is encrypted and the agent holds it', async () => {
    addToAgent(sshd.clientKeyFile);
    expect(await attempt(lock('locked_with_agent'), { agentSocket })).toBeUndefined();
  });
});

describe('says why not', () => {
  it('with the user and all that was tried, once', async () => {
    copyFileSync(join(sshd.dir, 'stranger'), join(home, '.ssh', 'id_ed25519'));
    writeFileSync(join(home, '.ssh', 'id_rsa'), 'not a key');
    const before = sshd.log().split('Connection from').length;
    const error = await attempt(undefined, { agentSocket });
    expect(error).toMatchObject({ code: 'ssh.refused', exitCode: 5, where: { host: 'web1' } });
    expect(error?.message).toContain(userInfo().username);
    for (const tried of [agentSocket, `${home}/.ssh/id_ed25519`, `${home}/.ssh/id_rsa (unusable, not tried)`])
      expect(error?.message).toContain(tried);
    await vi.waitFor(() => expect(sshd.log().split('Connection from').length).toBe(before + 1));
  });

  it('when there was nothing to try', async () => {
    const error = await attempt(undefined);
    expect(error).toMatchObject({ code: 'ssh.refused' });
    expect(error?.message).toContain('neither an agent nor a key');
  });

  it('when the agent did not answer', async () => {
    const error = await attempt(undefined, { agentSocket: join(home, 'no-agent') });
    expect(error).toMatchObject({ code: 'ssh.refused' });
    expect(error?.message).toContain('Failed to connect to agent');
  });

  it('when the host has had enough of wrong keys', async () => {
    for (let number = 0; number < 7; number++) {
      makeKey(join(home, `wrong-${number}`), 'ed25519');
      addToAgent(join(home, `wrong-${number}`));
    }
    const error = await attempt(undefined, { agentSocket });
    expect(error).toMatchObject({ code: 'ssh.refused' });
    expect(error?.message).toContain('Too many authentication failures');
  });

  it('to a user who is not there', async () => {
    const error = await attempt(sshd.clientKeyFile, { user: 'nobody-of-that-name' });
    expect(error).toMatchObject({ code: 'ssh.refused' });
    expect(error?.message).toContain('nobody-of-that-name');
  });

  it('when the named key is encrypted and no agent holds it', async () => {
    const file = lock('locked_alone');
    const error = await attempt(file);
    expect(error).toMatchObject({ code: 'ssh.key', exitCode: 4, hint: expect.stringContaining(`ssh-add ${file}`) });
    const refused = await attempt(file, { agentSocket });
    expect(refused).toMatchObject({ code: 'ssh.refused' });
    expect(refused?.message).toContain(`${file} (encrypted, not tried)`);
  });

  it.each([
    ['that is missing', () => join(home, 'missing')],
    ['that is a public key', () => `${sshd.clientKeyFile}.pub`],
    ['that is no key', () => join(sshd.dir, 'sshd_config')],
  ])('about a named key %s', async (_, file) => {
    const error = await attempt(file());
    expect(error).toMatchObject({ code: 'ssh.key', exitCode: 4 });
    expect(error?.message).toContain(file());
  });
});
