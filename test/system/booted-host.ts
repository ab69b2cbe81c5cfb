/**
 * A Debian that systemd has booted, in namespaces of this machine's kernel: its services, its D-Bus and its firewall programs are real,
 * its files a layer above a root that is never written to. Needs root.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { NetHost } from './two-hosts.ts';

export interface BootedHost extends NetHost {
  readonly whole: true;
  /** Ends all of it, as a power cut does, and boots it anew: files stay, what the kernel was told is gone. */
  reboot(): Promise<void>;
  close(): Promise<void>;
}

/** Told to `sh -c` with the root and a folder of its own: makes what systemd expects, in a control group of its own, and becomes it. */
const boot = `set -e
mount -t cgroup2 none "$2/cgroup"
mkdir -p "$2/cgroup/\${2##*/}" && echo 0 >"$2/cgroup/\${2##*/}/cgroup.procs"
umount "$2/cgroup"
exec unshare --cgroup sh -ec "$3" sh "$1" "$2"`;

const become = `root=$2/root
mount -t overlay none -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 none "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
for each in null zero full random urandom tty; do : >"$root/dev/$each"; mount --bind "/dev/$each" "$root/dev/$each"; done
mount -t tmpfs -o mode=755 none "$root/run"
mount -t tmpfs none "$root/tmp"
cd "$root"; mkdir -p old; pivot_root . old; umount -l /old
exec env -i container=lvsctl PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=null --show-status=no`;

/** What has nothing to do in a namespace, or would do it to this machine. */
const masked = ['systemd-sysctl.service', 'systemd-modules-load.service', 'systemd-logind.service', 'e2scrub_reap.service'].concat(
  ['dev-hugepages', 'dev-mqueue', 'sys-kernel-debug', 'sys-kernel-tracing', 'sys-fs-fuse-connections'].map((name) => `${name}.mount`),
);

/** `before`: shell that readies the files of the host before its first boot. */
export async function bootHost(root: string, before: string): Promise<BootedHost> {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-booted-'));
  for (const name of ['upper', 'work', 'root', 'cgroup']) mkdirSync(join(folder, name));
  chmodSync(join(folder, 'upper'), 0o755);
  const prepare = `mount -t overlay none -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root" && exec chroot "$2/root" sh -ec "$3"`;
  const first = [...masked.map((unit) => `ln -sf /dev/null /etc/systemd/system/${unit}`), before].join('\n');
  execFileSync('unshare', ['--mount', '--net', 'sh', '-c', prepare, 'sh', root, folder, first], { stdio: 'pipe' });
  let running = start(root, folder);
  return {
    whole: true,
    get pid() {
      return running.pid;
    },
    reboot: async () => {
      await end(running.parent);
      running = start(root, folder);
    },
    close: async () => {
      await end(running.parent);
      // Its processes are told to end, and are there until they have.
      const group = `"$1/cgroup/${basename(folder)}"`;
      const gone = `tries=0; until find ${group} -depth -type d -exec rmdir {} + 2>/dev/null; do tries=$((tries + 1)); [ $tries -lt 300 ]; sleep 0.1; done`;
      execFileSync('unshare', ['--mount', 'sh', '-ec', `mount -t cgroup2 none "$1/cgroup"; ${gone}`, 'sh', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function start(root: string, folder: string): { readonly parent: ChildProcess; readonly pid: number } {
  const namespaces = ['--mount', '--pid', '--net', '--uts', '--ipc', '--fork', '--kill-child'];
  const parent = spawn('unshare', [...namespaces, 'sh', '-c', boot, 'sh', root, folder, become], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const until = Date.now() + 60_000;
  for (;;) {
    const pid = Number(readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim());
    // "degraded" where a service of Debian's cannot do its work in a namespace: ours are asked by themselves.
    if (pid > 0 && /^(running|degraded)/.test(systemState(pid))) return { parent, pid };
    if (Date.now() > until) throw new Error('systemd does not boot');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function systemState(pid: number): string {
  const there = readFileSync(`/proc/${pid}/comm`, 'utf8') === 'systemd\n';
  return there ? spawnSync('nsenter', ['-t', String(pid), '-a', 'systemctl', 'is-system-running'], { encoding: 'utf8' }).stdout : '';
}

async function end(parent: ChildProcess): Promise<void> {
  const over = once(parent, 'exit');
  parent.kill('SIGKILL');
  await over;
}
