/**
 * A Debian root in a folder, as a host: processes, mounts, names and network of its own, so that what runs in it as root reaches
 * nothing outside. All of it ends with `close`. Needs root.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Channel, Connection } from '../../src/transport/transport.ts';
import { planContext } from './plan-context.ts';

export interface ChrootHost {
  readonly connection: Connection;
  close(): Promise<void>;
}

/** No device of the machine but those that every program may use. Says which process to enter. */
const setup = `root=$1
mount --make-rprivate / && mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/run" && mount -t tmpfs tmpfs "$root/dev" || exit 1
for each in null zero full random urandom; do : >"$root/dev/$each" && mount --bind "/dev/$each" "$root/dev/$each" || exit 1; done
ip link set lo up
read -r pid _ </proc/self/stat && echo "ready $pid"
exec sleep infinity`;

const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--net'];

export async function openChroot(root: string): Promise<ChrootHost> {
  const holder = spawn('unshare', [...namespaces, '--fork', '--kill-child', 'sh', '-c', setup, 'sh', root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'close');
  const [line] = await Promise.race([once(createInterface({ input: holder.stdout }), 'line'), ended]);
  const inner = /^ready (\d+)$/.exec(String(line))?.[1];
  if (inner === undefined) throw new Error(`the namespaces of ${root} could not be made; this needs root`);
  const close = async () => {
    holder.kill('SIGKILL');
    await ended;
  };
  return { connection: connectionTo(['--target', inner, ...namespaces, 'chroot', root, 'sh']), close };
}

function connectionTo(enter: readonly string[]): Connection {
  let channels = 0;
  return {
    host: planContext().host,
    get channels() {
      return channels;
    },
    async shell(): Promise<Channel> {
      channels += 1;
      const child = spawn('nsenter', enter, { stdio: 'pipe', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
      child.stdin.on('error', () => {});
      const ended = once(child, 'close').then(([exit]) => ({ exit: exit as number | null }));
      return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, close: () => child.stdin.end() };
    },
    close: () => {},
  };
}
