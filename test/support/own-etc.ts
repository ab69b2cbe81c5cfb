/**
 * An sshd with real accounts, passwords and sudo, and none of it on this machine: a mount namespace of its own, in which /etc is a copy
 * and what sudo remembers lies in memory. It ends with sshd. Needs root.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Sshd, type SshdOptions, startSshd } from './sshd.ts';

export const password = 'pass word $(x) \'"';

/** crypt(3), SHA-512, of `password`. */
export const passwordHash = '$6$lvsctl$UMAprtpe.6yrmwWJHAK5yZnJeSipgSnMobkmBlUlZ5O98VDTYmwYlRfwMLyr1UsRq2qIvBxfE0d6.Bfkf.Aey/';
const id = 4242;
const user = 'deploy';

export interface AccountOptions extends SshdOptions {
  /** Login shell; /bin/bash unless said. */
  readonly shell?: string;
  /** Lines of sudoers, all that there are. */
  readonly sudoers?: readonly string[];
  readonly bashrc?: string;
  /** Words before sshd's own that are to see the accounts. */
  readonly after?: (dir: string) => readonly string[];
}

/** The server, and `deploy`, who has a password on it. */
export async function startSshdWithAccount(options: AccountOptions = {}): Promise<Sshd & { readonly user: string }> {
  const startedBy = (dir: string): readonly string[] => {
    makeEtc(dir, options);
    return [
      ...(options.startedBy?.(dir) ?? []),
      'unshare',
      '--mount',
      'sh',
      '-c',
      `${mounts(dir)}\nexec "$@"`,
      'sh',
      ...(options.after?.(dir) ?? []),
    ];
  };
  const config = [...(options.config ?? []), 'UsePAM yes'];
  const environment = (dir: string): Readonly<Record<string, string>> => ({ HOME: join(dir, 'home') });
  return { ...(await startSshd({ environment, ...options, config, startedBy })), user };
}

function makeEtc(dir: string, { shell = '/bin/bash', sudoers = [], bashrc = '' }: AccountOptions): void {
  const etc = join(dir, 'etc');
  const home = join(dir, 'home');
  chmodSync(dir, 0o755); // the account must come by its home and its keys
  execFileSync('cp', ['-a', '/etc', etc]);
  appendFileSync(join(etc, 'passwd'), `${user}:x:${id}:${id}::${home}:${shell}\n`);
  appendFileSync(join(etc, 'group'), `${user}:x:${id}:\n`);
  appendFileSync(join(etc, 'shadow'), `${user}:${passwordHash}:19000:0:99999:7:::\n`);
  execFileSync('rm', ['-rf', join(etc, 'sudoers'), join(etc, 'sudoers.d')]);
  writeFileSync(join(etc, 'sudoers'), ['root ALL=(ALL:ALL) ALL', ...sudoers, ''].join('\n'), { mode: 0o440 });
  mkdirSync(home);
  writeFileSync(join(home, '.bashrc'), bashrc);
  execFileSync('chown', ['-R', `${id}:${id}`, home]);
}

function mounts(dir: string): string {
  return `set -e
mount --bind '${dir}/etc' /etc
mount -t tmpfs none /run
mkdir /run/sshd
mount -t tmpfs none /var/lib/sudo
set +e`;
}
