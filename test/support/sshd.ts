/** A real OpenSSH server on loopback, with keys and configuration of its own in a temporary folder; the machine's sshd is not touched. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Host, SshSettings } from '../../src/model.ts';

export type HostKeyType = 'ed25519' | 'ecdsa' | 'rsa';

export interface SshdOptions {
  /** Host keys to make and show; ed25519 unless said. */
  readonly hostKeys?: readonly HostKeyType[];
  /** Further lines of sshd_config, such as `MaxSessions 1`. They come first, so they win. */
  readonly config?: readonly string[];
  /** Files to put into the folder beforehand, by name; executable. HOME is the folder: a `.bashrc` there is the user's. */
  readonly files?: Readonly<Record<string, string>>;
  /** What sshd is started by: words before its own, such as `nsenter …`. Must become sshd, not wait for it. */
  readonly startedBy?: (dir: string) => readonly string[];
  /** Environment of the sessions, for a folder that is known only now. */
  readonly environment?: (dir: string) => Readonly<Record<string, string>>;
}

export interface Sshd {
  readonly port: number;
  /** One line per host key, as ssh-keyscan prints them. */
  readonly knownHostsLine: string;
  /** Each host key's public half, `TYPE BASE64`. */
  readonly hostKeys: Readonly<Partial<Record<HostKeyType, string>>>;
  /** Private key of a user who is let in. */
  readonly clientKeyFile: string;
  readonly dir: string;
  /** All that sshd has logged so far. */
  log(): string;
  stop(): Promise<void>;
}

export const sshdBinary = '/usr/sbin/sshd';

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const dir = mkdtempSync(join(tmpdir(), 'lvsctl-sshd-'));
  // sshd shuts its unprivileged half into this empty folder; a service script makes it where sshd is a service.
  if (userInfo().uid === 0 && !existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
  const types = options.hostKeys ?? ['ed25519'];
  const hostKeys = Object.fromEntries(types.map((type) => [type, makeKey(join(dir, `host_${type}`), type)]));
  const clientKeyFile = join(dir, 'client_key');
  writeFileSync(join(dir, 'authorized_keys'), `${makeKey(clientKeyFile, 'ed25519')}\n`);
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(dir, name), text, { mode: 0o755 });
  // A home of its own: what the developer's login prints, and how long it takes, is no part of a test.
  const environment = { HOME: dir, ...options.environment?.(dir) };
  const extra = [
    `SetEnv ${Object.entries(environment)
      .map((pair) => pair.join('='))
      .join(' ')}`,
    ...(options.config ?? []),
  ];
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    writeFileSync(join(dir, 'sshd_config'), configText(dir, port, types, extra));
    const started = await launch(dir, options.startedBy?.(dir) ?? []);
    if (!started) {
      if (attempt < 5) continue;
      throw new Error(`sshd does not start: ${readFileSync(join(dir, 'sshd.log'), 'utf8')}`);
    }
    const line = Object.values(hostKeys).map((key) => `[127.0.0.1]:${port} ${key}\n`);
    return {
      port,
      knownHostsLine: line.join(''),
      hostKeys,
      clientKeyFile,
      dir,
      log: () => started.log.join('\n'),
      stop: () => stop(started.child, dir),
    };
  }
}

/** The host that a transport would be given to reach this server. */
export function sshdHost(sshd: Sshd, settings: Partial<SshSettings> = {}): Host {
  return {
    name: 'web1',
    role: 'backend',
    address: '127.0.0.1',
    ssh: { user: userInfo().username, port: sshd.port, key: sshd.clientKeyFile, timeout: 10, ...settings },
    interfaces: [{ name: 'lo', addresses: ['127.0.0.1/8'] }],
    vars: {},
  };
}

/** Writes a known_hosts with the server's keys and returns its path. */
export function writeKnownHosts(sshd: Sshd, text = sshd.knownHostsLine): string {
  const file = join(mkdtempSync(join(sshd.dir, 'known-')), 'known_hosts');
  writeFileSync(file, text);
  return file;
}

/** Makes a key pair; returns the public half, `TYPE BASE64`. */
export function makeKey(file: string, type: HostKeyType, passphrase = ''): string {
  const bits = type === 'rsa' ? ['-b', '2048'] : [];
  execFileSync('ssh-keygen', ['-q', '-t', type, ...bits, '-N', passphrase, '-C', 'lvsctl-test', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ');
}

function configText(dir: string, port: number, types: readonly HostKeyType[], extra: readonly string[]): string {
  return [
    ...extra,
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...types.map((type) => `HostKey ${join(dir, `host_${type}`)}`),
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    // Without PAM sshd turns away an account whose password is locked, as root's is on many a machine.
    `UsePAM ${isLocked() ? 'yes' : 'no'}`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'LogLevel VERBOSE',
    '',
  ].join('\n');
}

function isLocked(): boolean {
  const { uid, username } = userInfo();
  return uid === 0 && existsSync('/etc/shadow') && new RegExp(`^${username}:!`, 'm').test(readFileSync('/etc/shadow', 'utf8'));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** `undefined` when it ended at once: somebody else took the port. */
async function launch(
  dir: string,
  startedBy: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly log: string[] } | undefined> {
  // It ends with the tests, however they end.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', ...startedBy, sshdBinary, '-D', '-e', '-f', join(dir, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log: string[] = [];
  const listening = new Promise<boolean>((resolve) => {
    createInterface({ input: child.stderr })
      .on('line', (line) => {
        log.push(line);
        if (line.includes('Server listening on')) resolve(true);
      })
      .on('close', () => resolve(false));
  });
  if (await listening) return { child, log };
  writeFileSync(join(dir, 'sshd.log'), log.join('\n'));
  return undefined;
}

async function stop(child: ChildProcess, dir: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(dir, { recursive: true, force: true });
}
