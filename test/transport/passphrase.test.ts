/** Encrypted keys and who is asked for their passphrases, against a real server. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { EXIT, LvsError } from '../../src/errors.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import { makeKey, type Sshd, startSshd } from '../support/sshd.ts';
import { makeHome, silentHost } from '../support/sshd-trust.ts';

const passphrase = 'open sesame';
let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());
afterEach(() => {
  vi.unstubAllEnvs();
});

/** The key that is let in, under a passphrase; in the format of before 2018 when `old`. */
function lockedKey(name: string, old = false): string {
  const file = join(sshd.dir, name);
  if (old) {
    // Ed25519 has no such format: another key, which is let in too.
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-m', 'PEM', '-N', passphrase, '-f', file]);
    execFileSync('sh', ['-c', `cat ${file}.pub >>${join(sshd.dir, 'authorized_keys')}`]);
    return file;
  }
  copyFileSync(sshd.clientKeyFile, file);
  execFileSync('ssh-keygen', ['-q', '-p', '-N', passphrase, '-f', file], { stdio: 'ignore' });
  return file;
}

/** Somebody whose ssh_config names these keys. */
function transportWith(files: readonly string[], ask: (file: string) => Promise<string>): ReturnType<typeof sshTransport> {
  const lines = files.map((file) => `  IdentityFile ${file}\n`).join('');
  vi.stubEnv('HOME', makeHome(sshd.dir, `Host *\n  Port ${sshd.port}\n  User root\n${lines}`, [sshd.knownHostsLine]));
  return sshTransport({ agentSocket: '', askPassphrase: ask });
}

async function failure(connecting: Promise<{ close(): void }>): Promise<LvsError | undefined> {
  return connecting.then(
    (connection) => void connection.close(),
    (error: LvsError) => error,
  );
}

describe('a passphrase', () => {
  it.each([
    ['of OpenSSH’s own format', false],
    ['of the old format, whose public half lies beside it', true],
  ])('opens a key %s', async (_, old) => {
    const file = lockedKey(`locked-${old}`, old);
    const ask = vi.fn(async () => passphrase);
    expect(await failure(transportWith([file], ask).connect(silentHost('web1')))).toBeUndefined();
    expect(ask.mock.calls).toEqual([[file]]);
  });

  it('is asked for once, however many hosts want the key at the same time, and later', async () => {
    const ask = vi.fn(async () => passphrase);
    const transport = transportWith([lockedKey('once')], ask);
    const names = ['web1', 'web2', 'web3', 'web4', 'web5'];
    expect(await Promise.all(names.map((name) => failure(transport.connect(silentHost(name)))))).toEqual(names.map(() => undefined));
    expect(await failure(transport.connect(silentHost('web6')))).toBeUndefined();
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('of two keys are asked for one after the other', async () => {
    let open = 0;
    let most = 0;
    const ask = vi.fn(async () => {
      most = Math.max(most, ++open);
      await new Promise((wake) => setTimeout(wake, 100));
      open -= 1;
      return passphrase;
    });
    const [one, two] = [lockedKey('first'), lockedKey('second', true)];
    vi.stubEnv(
      'HOME',
      makeHome(sshd.dir, `Host web1\n  IdentityFile ${one}\nHost web2\n  IdentityFile ${two}\nHost *\n  Port ${sshd.port}\n  User root\n`, [
        sshd.knownHostsLine,
      ]),
    );
    const transport = sshTransport({ agentSocket: '', askPassphrase: ask });
    const results = await Promise.all(['web1', 'web2'].map((name) => failure(transport.connect(silentHost(name)))));
    expect({ results, asked: ask.mock.calls.length, most }).toEqual({ results: [undefined, undefined], asked: 2, most: 1 });
  });

  it('is not asked for when the host would not take the key', async () => {
    const stranger = join(sshd.dir, 'locked_stranger');
    makeKey(stranger, 'ed25519', passphrase);
    const ask = vi.fn(async () => passphrase);
    expect(await failure(transportWith([stranger, sshd.clientKeyFile], ask).connect(silentHost('web1')))).toBeUndefined();
    expect(ask).not.toHaveBeenCalled();
  });

  it('may take longer to type than a host may take to answer', async () => {
    const ask = async (): Promise<string> => {
      await new Promise((wake) => setTimeout(wake, 3000));
      return passphrase;
    };
    expect(await failure(transportWith([lockedKey('slow')], ask).connect(silentHost('web1', { timeout: 2 })))).toBeUndefined();
  });

  it('that is wrong is bad input, not a host that cannot be reached; it is not asked for again', async () => {
    const file = lockedKey('wrong');
    const ask = vi.fn(async () => 'wrong');
    const before = sshd.log().split('Connection from').length;
    const error = await failure(transportWith([file], ask).connect(silentHost('web1')));
    expect(error).toMatchObject({ code: 'ssh.key', exitCode: 4, message: `the passphrase does not open the key ${file}` });
    expect(ask).toHaveBeenCalledTimes(1);
    await vi.waitFor(() => expect(sshd.log().split('Connection from').length).toBe(before + 1));
  });

  it('that nobody gives is refused in the words of who was asked', async () => {
    const nobody = async (): Promise<string> => {
      throw new LvsError('nobody is there', { code: 'cli.no-terminal', exitCode: EXIT.badInput });
    };
    expect(await failure(transportWith([lockedKey('nobody')], nobody).connect(silentHost('web1')))).toMatchObject({
      code: 'cli.no-terminal',
    });
  });

  it('is not asked for without a public half to show: the key is passed over, and named', async () => {
    const file = lockedKey('half', true);
    rmSync(`${file}.pub`);
    const ask = vi.fn(async () => passphrase);
    const error = await failure(transportWith([file], ask).connect(silentHost('web1')));
    expect(error).toMatchObject({ code: 'ssh.refused', message: expect.stringContaining(`${file} (encrypted, not tried)`) });
    expect(ask).not.toHaveBeenCalled();
  });
});
