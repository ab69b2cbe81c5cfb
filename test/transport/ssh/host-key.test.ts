import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LvsError } from '../../../src/errors.ts';
import { type SshOptions, sshTransport } from '../../../src/transport/ssh/ssh.ts';
import { makeKey, type Sshd, sshdHost, startSshd, writeKnownHosts } from '../../support/sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd({ hostKeys: ['rsa', 'ecdsa', 'ed25519'] });
});
afterAll(() => sshd.stop());

/** Connects and hangs up; the error when that fails. */
async function attempt(options: SshOptions): Promise<LvsError | undefined> {
  try {
    const connection = await sshTransport({ agentSocket: '', ...options }).connect(sshdHost(sshd));
    connection.close();
    return undefined;
  } catch (error) {
    return error as LvsError;
  }
}

const named = (key: string | undefined): string => `[127.0.0.1]:${sshd.port} ${key}`;

function printOf(type: string): string {
  return execFileSync('ssh-keygen', ['-lf', join(sshd.dir, `host_${type}.pub`)], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

it('refuses an unknown host, with the fingerprint and the line that ssh-keyscan would print', async () => {
  const scan = execFileSync('ssh-keyscan', ['-p', String(sshd.port), '-t', 'ed25519', '127.0.0.1'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const file = join(sshd.dir, 'nowhere', 'known_hosts');
  const error = await attempt({ knownHosts: [file] });
  expect(error).toMatchObject({ code: 'ssh.host-key-unknown', exitCode: 5, where: { host: 'web1' } });
  expect(error?.message).toContain(`ssh-ed25519 ${printOf('ed25519')}`);
  expect(error?.hint).toContain(scan.trim());
  expect(error?.hint).toContain('--accept-new');
  expect(existsSync(file)).toBe(false);
});

it('never gets as far as a login with an unknown host', async () => {
  const before = sshd.log().length;
  await attempt({ knownHosts: [writeKnownHosts(sshd, '')] });
  expect(sshd.log().slice(before)).not.toContain('Accepted');
});

it('connects to a host whose key is known, in whichever file', async () => {
  const files = [join(sshd.dir, 'missing'), writeKnownHosts(sshd, '# nothing\n'), writeKnownHosts(sshd)];
  expect(await attempt({ knownHosts: files })).toBeUndefined();
});

it('connects by a hashed entry', async () => {
  const file = writeKnownHosts(sshd);
  execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
  expect(readFileSync(file, 'utf8')).not.toContain('127.0.0.1');
  expect(await attempt({ knownHosts: [file] })).toBeUndefined();
});

it.each(['ed25519', 'ecdsa', 'rsa'] as const)('asks the host for its %s key when it is known by that alone', async (type) => {
  expect(await attempt({ knownHosts: [writeKnownHosts(sshd, `${named(sshd.hostKeys[type])}\n`)] })).toBeUndefined();
});

it('remembers a new host with accept-new, in a private file, once', async () => {
  const file = join(sshd.dir, 'fresh', 'known_hosts');
  const options = { knownHosts: [file], acceptNew: true };
  expect(await attempt(options)).toBeUndefined();
  expect(readFileSync(file, 'utf8')).toBe(`${named(sshd.hostKeys.ed25519)}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(sshd.dir, 'fresh')).mode & 0o777).toBe(0o700);
  expect(await attempt(options)).toBeUndefined();
  expect(await attempt({ knownHosts: [file] })).toBeUndefined();
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
});

it('remembers a host once when several connections learn of it at the same time', async () => {
  const file = writeKnownHosts(sshd, '');
  const options = { knownHosts: [file], acceptNew: true };
  expect(await Promise.all([attempt(options), attempt(options), attempt(options)])).toEqual([undefined, undefined, undefined]);
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
});

it('writes to the file that it is told, and begins a line of its own', async () => {
  const readOnly = writeKnownHosts(sshd, '');
  const file = writeKnownHosts(sshd, '# no newline at the end');
  expect(await attempt({ knownHosts: [readOnly], writeTo: file, acceptNew: true })).toBeUndefined();
  expect(readFileSync(readOnly, 'utf8')).toBe('');
  expect(readFileSync(file, 'utf8')).toBe(`# no newline at the end\n${named(sshd.hostKeys.ed25519)}\n`);
});

it('refuses a changed key whatever is accepted, and names the old entry and both fingerprints', async () => {
  const old = makeKey(join(sshd.dir, 'old_key'), 'ed25519');
  const oldPrint = execFileSync('ssh-keygen', ['-lf', join(sshd.dir, 'old_key.pub')], { encoding: 'utf8' }).split(' ')[1];
  const text = `# a comment\n${named(old)}\n`;
  const file = writeKnownHosts(sshd, text);
  for (const acceptNew of [false, true]) {
    const error = await attempt({ knownHosts: [file], acceptNew });
    expect(error).toMatchObject({ code: 'ssh.host-key-changed', exitCode: 5 });
    expect(error?.message).toContain(`${oldPrint} (${file}:2)`);
    expect(error?.message).toContain(printOf('ed25519'));
  }
  expect(readFileSync(file, 'utf8')).toBe(text);
});

it('refuses a revoked key whatever is accepted', async () => {
  const file = writeKnownHosts(sshd, `@revoked * ${sshd.hostKeys.ed25519}\n`);
  const error = await attempt({ knownHosts: [file], acceptNew: true });
  expect(error).toMatchObject({ code: 'ssh.host-key-revoked', exitCode: 5 });
  expect(error?.message).toContain(`${file}:1`);
});

describe('a host that shows a certificate, where known_hosts trusts its authority', () => {
  let certified: Sshd;
  let authority: string;
  let scratch: string;
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'lvsctl-authority-'));
    authority = makeKey(join(scratch, 'authority'), 'ed25519');
    const startedBy = (dir: string): readonly string[] => {
      const names = ['-h', '-I', 'web1', '-n', '127.0.0.1'];
      execFileSync('ssh-keygen', ['-q', '-s', join(scratch, 'authority'), ...names, join(dir, 'host_ed25519.pub')]);
      appendFileSync(join(dir, 'sshd_config'), `HostCertificate ${join(dir, 'host_ed25519-cert.pub')}\n`);
      return [];
    };
    certified = await startSshd({ startedBy });
  });
  afterAll(async () => {
    await certified.stop();
    rmSync(scratch, { recursive: true });
  });

  const connect = async (known: string, acceptNew: boolean): Promise<LvsError | undefined> => {
    const transport = sshTransport({ agentSocket: '', knownHosts: [writeKnownHosts(certified, known)], acceptNew });
    return transport.connect(sshdHost(certified)).then(
      (connection) => void connection.close(),
      (error: LvsError) => error,
    );
  };
  const trusted = (): string => `@cert-authority * ${authority}\n`;

  it('is let in by ssh', () => {
    const file = writeKnownHosts(certified, trusted());
    const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${file}`, 'IdentitiesOnly=yes'];
    const words = [...options.flatMap((option) => ['-o', option]), '-i', certified.clientKeyFile, '-p', String(certified.port)];
    expect(execFileSync('ssh', ['-F', 'none', ...words, '127.0.0.1', 'echo in'], { encoding: 'utf8' })).toBe('in\n');
  });

  it.each([false, true])('is refused here, with the authority’s line and the one that would do (accept-new: %s)', async (acceptNew) => {
    const error = await connect(trusted(), acceptNew);
    expect(error).toMatchObject({ code: 'ssh.host-key-unknown', exitCode: 5, where: { host: 'web1' } });
    expect(error?.message).toMatch(/known_hosts:1 trusts an authority for it, and lvsctl cannot check certificates$/);
    expect(error?.hint).toContain(certified.knownHostsLine.trim());
  });

  it('is let in by its plain key beside the authority, unless that is revoked', async () => {
    expect(await connect(`${trusted()}${certified.knownHostsLine}`, false)).toBeUndefined();
    const revoked = `@revoked * ${certified.hostKeys.ed25519}\n`;
    expect(await connect(`${trusted()}${certified.knownHostsLine}${revoked}`, false)).toMatchObject({ code: 'ssh.host-key-revoked' });
  });
});

it('says so when known_hosts cannot be read', async () => {
  const error = await attempt({ knownHosts: [sshd.dir], acceptNew: true });
  expect(error).toMatchObject({ code: 'ssh.known-hosts', exitCode: 4 });
  expect(error?.message).toContain(sshd.dir);
});

it('does not connect when a new key cannot be remembered', async () => {
  const blocked = join(sshd.dir, 'blocked');
  writeFileSync(blocked, '');
  const error = await attempt({ knownHosts: [writeKnownHosts(sshd, '')], writeTo: join(blocked, 'known_hosts'), acceptNew: true });
  expect(error).toMatchObject({ code: 'ssh.known-hosts', exitCode: 4 });
});
