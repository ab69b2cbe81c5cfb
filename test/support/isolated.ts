/**
 * A connection to a root shell on this machine whose /run and /var are its own: a user and mount namespace, which ends with the
 * shell. What runs in it is real; what it writes is gone afterwards. `shell` is put in the place of /bin/sh. `prepare` is shell that is
 * run there before each shell.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Host } from '../../src/model.ts';
import type { Channel, Connection } from '../../src/transport/transport.ts';
import { s0Fleet } from './plan-context.ts';

export function isolatedConnection(
  shell: string,
  prepare: () => string = () => ':',
): Connection & { readonly everything: () => Promise<string> } {
  const [host] = s0Fleet.hosts as readonly [Host];
  let channels = 0;
  const stderr: string[] = [];
  const setup = `for folder in /run /var; do mount -t tmpfs none $folder || exit 70; done; mkdir -p /var/cache; mount --bind "$(command -v ${shell})" /bin/sh || exit 71`;
  return {
    host,
    get channels() {
      return channels;
    },
    async shell(): Promise<Channel> {
      channels += 1;
      const child = spawn('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', `${setup}\n${prepare()}\nexec sh`], {
        stdio: 'pipe',
      });
      child.stderr.on('data', (data: Buffer) => stderr.push(data.toString()));
      child.stdin.on('error', () => {});
      const ended = once(child, 'close').then(([exit]) => ({ exit: exit as number | null }));
      return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, close: () => child.stdin.end() };
    },
    everything: async () => stderr.join(''),
    close: () => {},
  };
}
