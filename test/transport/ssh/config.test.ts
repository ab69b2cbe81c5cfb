import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LvsError } from '../../../src/errors.ts';
import type { Host, SshSettings } from '../../../src/model.ts';
import { hopsBefore } from '../../../src/transport/ssh/bastions.ts';
import { readSshConfig } from '../../../src/transport/ssh/config.ts';
import { hopTarget, type Target, targetOf } from '../../../src/transport/ssh/target.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lvsctl-config-'));
  mkdirSync(join(home, '.ssh', 'more'), { recursive: true });
  vi.stubEnv('HOME', home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

function write(text: string, name = 'config'): string {
  const file = join(home, '.ssh', name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** web1 of an inventory that has said only this. */
function host(said: Partial<SshSettings> = {}): Host {
  const ssh = { user: 'root', port: 22, timeout: 10, ...said, said: Object.keys(said) };
  return { name: 'web1', role: 'backend', address: '10.18.43.13', ssh, interfaces: [], vars: {} };
}

const target = (text: string, said: Partial<SshSettings> = {}): Target => targetOf(host(said), readSshConfig(write(text)));

function complaint(make: () => unknown): LvsError {
  try {
    make();
  } catch (error) {
    return error as LvsError;
  }
  return expect.unreachable('there was no complaint');
}

describe('what the inventory leaves unsaid', () => {
  const all = 'User admin\nPort 2222\nConnectTimeout 1m30s\n';

  it('comes from the configuration, and a user who is not root becomes root', () => {
    expect(target(all).host.ssh).toMatchObject({ user: 'admin', port: 2222, timeout: 90, sudo: true });
  });

  it('and what it says stands', () => {
    const said = { user: 'ops', port: 22, timeout: 5, sudo: true };
    expect(target(all, said).host.ssh).toMatchObject(said);
    expect(target(all, { sudo: false }).host.ssh).not.toHaveProperty('sudo');
    expect(target('User root\n', { user: 'ops', sudo: true }).host.ssh).toMatchObject({ user: 'ops', sudo: true });
  });

  it('the address is always said: HostName is for hosts on the way', () => {
    expect(target('HostName 192.0.2.1\n').host.address).toBe('10.18.43.13');
  });

  it('a host that marks nothing has said all', () => {
    const { said: _, ...ssh } = host().ssh;
    expect(targetOf({ ...host(), ssh }, readSshConfig(write(all))).host.ssh).toEqual(ssh);
  });

  it('no file, no word', () => {
    expect(targetOf(host(), readSshConfig(join(home, 'none')))).toMatchObject({
      identityFiles: [],
      jumps: [],
      notes: [],
      acceptNew: false,
    });
    expect(readSshConfig('')).toEqual([]);
  });
});

describe('sections', () => {
  it.each([
    ['the name in the inventory', 'Host web1\n User admin\n', 'admin'],
    ['the address', 'Host 10.18.43.*\n User admin\n', 'admin'],
    ['one of several', 'Host db web?\n User admin\n', 'admin'],
    ['not what is excepted', 'Host * !web1\n User admin\n', 'root'],
    ['nor when the address is excepted', 'Host * !10.18.*\n User admin\n', 'root'],
    ['not another host', 'Host web10\n User admin\n', 'root'],
    ['the first that says it', 'Host web1\n User admin\nHost *\n User other\n', 'admin'],
    ['all that stands before any section', 'User admin\nHost web1\n User other\n', 'admin'],
    ['with an equals sign, quotes and capitals', 'HOST=web1\n\tuSeR = "admin"\n', 'admin'],
    ['comments and empty lines', '# Host x\n\nHost web1 # ours\n  # User other\n  User admin\n', 'admin'],
    ['line ends of another system', 'Host web1\r\n  User admin\r\n', 'admin'],
    ['Match all', 'Host db\nMatch all\n User admin\n', 'admin'],
    ['Match host, the address', 'Match host 10.18.43.13\n User admin\n', 'admin'],
    ['Match originalhost', 'Match originalhost web1,web2\n User admin\n', 'admin'],
    ['Match with an exception', 'Match host *,!web1\n User admin\n', 'root'],
    ['a negated criterion', 'Match !host db*\n User admin\n', 'admin'],
    ['every criterion must hold', 'Match host web1 localuser nobody-of-that-name\n User admin\n', 'root'],
  ])('%s', (_, text, user) => {
    expect(target(text).host.ssh.user).toBe(user);
  });

  it('Match user sees the user who counts: said, found before, or one’s own', () => {
    const text = 'Match user ops\n Port 1\nMatch user admin\n Port 2\n';
    expect(target(text, { user: 'ops' }).host.ssh.port).toBe(1);
    expect(target(`User admin\n${text}`).host.ssh.port).toBe(2);
    expect(target(`Match user ${userInfo().username}\n Port 3\n`).host.ssh.port).toBe(3);
  });

  it('Match exec runs nothing, and is mentioned where the rest of it fits', () => {
    const canary = join(home, 'canary');
    expect(target(`Match host web1 exec "touch ${canary}"\n User admin\n`)).toMatchObject({
      host: { ssh: { user: 'root' } },
      notes: [expect.stringContaining('.ssh/config:1: "Match exec"')],
    });
    expect(target(`Match host db exec "touch ${canary}"\n User admin\n`).notes).toEqual([]);
    expect(existsSync(canary)).toBe(false);
  });

  it('CanonicalizeHostname asks nobody', () => {
    expect(target('Host *\n CanonicalizeHostname yes\n CanonicalDomains example.com\n User admin\n').host.ssh.user).toBe('admin');
  });
});

describe('Include', () => {
  it('reads where it stands, by pattern and in order, relative to ~/.ssh; its sections end with the file', () => {
    write('Host web1\n User first\n', 'more/10.conf');
    write('User second\nPort 2020\n', 'more/20.conf');
    write('Port 3030\n', 'more/.hidden.conf');
    expect(target('Include more/*.conf\nConnectTimeout 7\n').host.ssh).toMatchObject({ user: 'first', port: 2020, timeout: 7 });
    expect(target(`Include ${home}/.ssh/more/20.conf ~/.ssh/more/10.conf\n`).host.ssh.user).toBe('second');
  });

  it('counts only within its section', () => {
    write('User admin\nHost *\n Port 2020\n', 'more/10.conf');
    expect(target('Host db\n Include more/10.conf\n').host.ssh).toMatchObject({ user: 'root', port: 22 });
    expect(target('Host web1\n Include more/10.conf\nHost *\n Port 99\n').host.ssh).toMatchObject({ user: 'admin', port: 2020 });
  });

  it('of nothing is nothing; of itself is a complaint', () => {
    expect(target('Include nothing/*.conf missing\nPort 2222\n').host.ssh.port).toBe(2222);
    expect(complaint(() => target('Include config\n'))).toMatchObject({ code: 'ssh.config', exitCode: 4 });
  });
});

describe('values', () => {
  it('files, the agent and the known hosts, with their tokens', () => {
    const found = target(
      [
        'Host web1',
        '  IdentityFile ~/.ssh/%r-%h-%p-%n',
        '  IdentityFile "%d/with space/%u"',
        '  IdentitiesOnly yes',
        '  IdentityAgent %d/agent.sock',
        '  UserKnownHostsFile ~/a ~/b%%',
        '  HostKeyAlias web',
        '  ServerAliveInterval 30',
      ].join('\n'),
      { user: 'ops' },
    );
    expect(homedir()).toBe(home);
    expect(found).toMatchObject({
      identityFiles: [`${home}/.ssh/ops-10.18.43.13-22-web1`, `${home}/with space/${userInfo().username}`],
      identitiesOnly: true,
      agentSocket: `${home}/agent.sock`,
      knownHosts: [`${home}/a`, `${home}/b%`],
      alias: 'web',
      keepalive: 30,
    });
  });

  it('words with a meaning of their own', () => {
    expect(target('IdentityAgent none\nIdentityFile none\nServerAliveInterval 0\nProxyJump none\n')).toMatchObject({
      agentSocket: '',
      identityFiles: [],
      jumps: [],
    });
    expect(target('IdentityAgent SSH_AUTH_SOCK\n')).not.toHaveProperty('agentSocket');
    expect(target('ServerAliveInterval 0\n')).not.toHaveProperty('keepalive');
    vi.stubEnv('WHERE', '/sockets');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the dollar is ssh's
    expect(target('IdentityAgent ${WHERE}/agent\n').agentSocket).toBe('/sockets/agent');
  });

  it.each(['no', 'off', 'NO'])('StrictHostKeyChecking %s weakens nothing, and is mentioned', (word) => {
    const found = target(`Host *\n StrictHostKeyChecking ${word}\n UserKnownHostsFile /dev/null\n`);
    expect(found).toMatchObject({
      acceptNew: false,
      notes: [expect.stringMatching(/config:2: StrictHostKeyChecking (no|off) is refused/)],
    });
    expect(found).not.toHaveProperty('knownHosts');
  });

  it.each([
    ['accept-new', true],
    ['yes', false],
    ['ask', false],
  ])('StrictHostKeyChecking %s', (word, acceptNew) => {
    expect(target(`StrictHostKeyChecking ${word}\n`)).toMatchObject({ acceptNew, notes: [] });
  });

  it.each([
    ['Port many', 1, 'port is "many"'],
    ['Host *\nPort 70000', 2, 'port is "70000"'],
    ['ConnectTimeout soon', 1, 'connecttimeout is "soon"'],
    ['IdentityFile ~/%x', 1, '"%x" in identityfile'],
    ['Host *\n\nUser', 3, 'cannot be understood'],
    ['Host', 1, 'cannot be understood'],
    ['Match host', 1, 'cannot be understood'],
    ['User "admin', 1, 'cannot be understood'],
    ['ProxyJump a@b@c', 1, 'no host to jump through'],
    ['ProxyJump gate:99999', 1, 'no host to jump through'],
    ['ProxyCommand nc %h %p', 1, 'is not run by lvsctl'],
  ])('%j is a complaint with its place', (text, line, words) => {
    const error = complaint(() => target(`${text}\n`));
    expect(error).toMatchObject({ code: 'ssh.config', exitCode: 4, where: { file: join(home, '.ssh/config'), line } });
    expect(error.message).toContain(words);
  });

  it('a file that others may write to is refused, as by ssh', () => {
    const file = write('Port 2222\n');
    chmodSync(file, 0o666);
    expect(complaint(() => readSshConfig(file))).toMatchObject({
      code: 'ssh.config',
      message: expect.stringContaining('others may write'),
    });
  });
});

describe('ProxyJump', () => {
  it.each([
    ['ProxyJump gate', [{ name: 'gate' }]],
    ['ProxyJump ops@gate:2222', [{ name: 'gate', user: 'ops', port: 2222 }]],
    ['ProxyJump outer, ssh://ops@[::1]:99', [{ name: 'outer' }, { name: '::1', user: 'ops', port: 99 }]],
    ['ProxyCommand ssh -W %h:%p gate', [{ name: 'gate' }]],
    ['ProxyCommand /usr/bin/ssh -q gate -W [%h]:%p', [{ name: 'gate' }]],
    ['ProxyCommand none\nProxyJump gate', []],
    ['ProxyJump gate\nProxyCommand nc %h %p', [{ name: 'gate' }]],
  ])('%j', (text, jumps) => {
    expect(target(`${text}\n`).jumps).toEqual(jumps);
  });

  it('each hop has settings of its own; the word in ProxyJump outranks them', () => {
    const config = readSshConfig(write('Host gate\n HostName %h.example\n User ops\n Port 2222\n HostKeyAlias door\n'));
    expect(hopTarget({ name: 'gate' }, 7, config)).toMatchObject({
      host: { name: 'gate', address: 'gate.example', ssh: { user: 'ops', port: 2222, timeout: 7 } },
      alias: 'door',
    });
    expect(hopTarget({ name: 'gate', user: 'me', port: 1 }, 7, config).host.ssh).toMatchObject({ user: 'me', port: 1 });
    expect(hopTarget({ name: 'other' }, 7, config).host).toMatchObject({ address: 'other', ssh: { user: userInfo().username, port: 22 } });
  });

  const way = (text: string): readonly string[] => {
    const config = readSshConfig(write(text));
    return hopsBefore(targetOf(host(), config), config).map((hop) => hop.host.name);
  };

  it('several hops, the nearest to the target first; the first of a list goes the way configured for it', () => {
    expect(way('Host web1\n ProxyJump a,b\nHost a\n ProxyJump z\nHost b\n ProxyJump ignored\n')).toEqual(['b', 'a', 'z']);
    expect(way('Host web1\n ProxyJump b\nHost b\n ProxyJump a\n')).toEqual(['b', 'a']);
  });

  it('a circle is a complaint, not a long wait', () => {
    const error = complaint(() => way('ProxyJump gate\n'));
    expect(error).toMatchObject({ code: 'ssh.config', exitCode: 4, message: 'ProxyJump goes round in a circle: web1 ← gate ← gate' });
    expect(way('Host gate\n ProxyJump none\nHost *\n ProxyJump gate\n')).toEqual(['gate']);
  });
});
