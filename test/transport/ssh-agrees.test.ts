/** What an ssh_config comes to, beside what ssh itself makes of it (`ssh -G`); and one that is used as it lies in somebody's home. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LvsError } from '../../src/errors.ts';
import { readSshConfig } from '../../src/transport/ssh/config.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import { hopTarget } from '../../src/transport/ssh/target.ts';
import { startSshd } from '../support/sshd.ts';
import { makeHome, section, silentHost } from '../support/sshd-trust.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-agrees-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('agrees with ssh', () => {
  const name = fc.constantFrom('web1', 'web2', 'db', 'web10.example');
  const pattern = fc.constantFrom('web*', 'web?', '*', '!web1', '!web*', 'db', 'WEB1', '*.example', 'web1');
  const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 });
  const criterion = fc.oneof(
    fc.tuple(fc.constantFrom('host', '!host', 'originalhost', '!originalhost'), patterns).map(([word, all]) => `${word} ${all.join(',')}`),
    fc.tuple(fc.constantFrom('user', '!user'), fc.constantFrom('ops', 'root,admin', 'adm*')).map((words) => words.join(' ')),
    fc.constantFrom('localuser root', '!localuser nobody-of-that-name'),
  );
  const heading = fc.oneof(
    patterns.map((all) => `Host ${all.join(' ')}`),
    fc.array(criterion, { minLength: 1, maxLength: 2 }).map((all) => `Match ${all.join(' ')}`),
    fc.constantFrom('Match all', 'Include part.conf'),
  );
  const setting = fc.constantFrom(
    ...['User ops', 'User admin', 'Port 2222', 'port=99', 'HostName %h.example', 'HostName 192.0.2.1', 'hostname "db"'],
    ...['IdentityFile /keys/a', 'IdentityFile /keys/b', 'IdentitiesOnly yes', 'HostKeyAlias door', 'ConnectTimeout 30', '# User x'],
    ...['ProxyJump gate', 'ProxyJump a,ops@b:2022', 'ProxyJump none', 'ProxyCommand none', 'UserKnownHostsFile /known/a /known/b'],
    ...['StrictHostKeyChecking accept-new', 'ServerAliveInterval 30'],
  );
  const lines = fc.array(fc.oneof(heading, setting, setting), { maxLength: 14 });

  /** The same words in the same shape, from both. */
  function fromSsh(file: string, host: string): Record<string, unknown> {
    const said = execFileSync('ssh', ['-T', '-G', '-F', file, host], { encoding: 'utf8' }).trim().split('\n');
    const all = (keyword: string): readonly string[] =>
      said.filter((line) => line.startsWith(`${keyword} `)).map((line) => line.slice(keyword.length + 1));
    const [port, timeout] = [all('port')[0], all('connecttimeout')[0]];
    return {
      ...{ user: all('user')[0], address: all('hostname')[0], port: Number(port), timeout: timeout === 'none' ? 10 : Number(timeout) },
      files: all('identityfile').filter((path) => path.startsWith('/keys/')),
      only: all('identitiesonly')[0] === 'yes',
      alias: all('hostkeyalias')[0],
      known: all('userknownhostsfile')[0]
        ?.split(' ')
        .filter((path) => path.startsWith('/known/')),
      jump: all('proxyjump')[0],
      acceptNew: all('stricthostkeychecking')[0] === 'accept-new',
      keepalive: Number(all('serveraliveinterval')[0]),
    };
  }

  function fromUs(file: string, host: string): Record<string, unknown> {
    const target = hopTarget({ name: host }, 10, readSshConfig(file));
    const shown = target.jumps.map((jump) => `${jump.user ? `${jump.user}@` : ''}${jump.name}${jump.port ? `:${jump.port}` : ''}`);
    return {
      ...{ user: target.host.ssh.user, address: target.host.address, port: target.host.ssh.port, timeout: target.host.ssh.timeout },
      files: target.identityFiles,
      only: target.identitiesOnly,
      alias: target.alias,
      known: target.knownHosts ?? [],
      jump: shown.length > 0 ? shown.join(',') : undefined,
      acceptNew: target.acceptNew,
      keepalive: target.keepalive ?? 0,
    };
  }

  it('on sections, exceptions, Match, Include and the first value that counts', () => {
    vi.stubEnv('HOME', folder);
    mkdirSync(join(folder, '.ssh'));
    const file = join(folder, '.ssh', 'config');
    const part = join(folder, '.ssh', 'part.conf');
    const check = (config: readonly string[], included: readonly string[], host: string): void => {
      // ssh takes the home from the account: a whole path means the same to both.
      writeFileSync(file, config.map((line) => `${line.replace('part.conf', part)}\n`).join(''), { mode: 0o600 });
      writeFileSync(
        part,
        included
          .filter((line) => !line.startsWith('Include'))
          .map((line) => `${line}\n`)
          .join(''),
        { mode: 0o600 },
      );
      expect(fromUs(file, host)).toEqual(fromSsh(file, host));
    };
    fc.assert(fc.property(lines, lines, name, check), { numRuns: 400 });
  });
});

describe('an ssh_config in somebody’s home', () => {
  it('says the way, the user and the keys, in included files too', async () => {
    const sshd = await startSshd();
    try {
      vi.stubEnv('HOME', makeHome(folder, 'Include conf.d/*\nHost *\n  User nobody-of-that-name\n', [sshd.knownHostsLine]));
      mkdirSync(join(process.env.HOME ?? '', '.ssh', 'conf.d'));
      writeFileSync(join(process.env.HOME ?? '', '.ssh', 'conf.d', 'web'), section('web*', sshd, 'User root'));
      (await sshTransport({ agentSocket: '' }).connect(silentHost('web1'))).close();
      await vi.waitFor(() => expect(sshd.log()).toContain('Accepted publickey for root'));
    } finally {
      await sshd.stop();
    }
  });

  it('that says StrictHostKeyChecking no gets no further with a host that is not known, and is told why', async () => {
    const sshd = await startSshd();
    try {
      const lax = ['StrictHostKeyChecking no', 'UserKnownHostsFile /dev/null'];
      vi.stubEnv('HOME', makeHome(folder, section('web*', sshd, 'User root', ...lax), []));
      const error = await sshTransport({ agentSocket: '' })
        .connect(silentHost('web1'))
        .catch((reason: LvsError) => reason);
      expect(error).toMatchObject({
        code: 'ssh.host-key-unknown',
        hint: expect.stringMatching(/config:7: StrictHostKeyChecking no is refused: lvsctl always checks/),
      });
      expect(sshd.log()).not.toContain('Accepted');
    } finally {
      await sshd.stop();
    }
  });
});
