/** Two hosts in network namespaces of this machine's kernel, joined by a cable: one behind a firewall, one that sends to it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderSh, type Sh } from '../../src/sh/sh.ts';

const packets = fileURLToPath(new URL('packets.py', import.meta.url));

export interface TwoHosts {
  /** Runs shell on the one with the firewall; its output. Throws where it fails. */
  inside(script: string | Sh): string;
  outside(script: string): string;
  /** Sends packets (`PROTOCOL FROM TO [PORT [FLAGS]]`) from outside; those of them that came through. */
  through(sent: readonly string[]): Promise<readonly string[]>;
  close(): void;
}

/** `inner`, `outer`: addresses in CIDR notation, the inner host's first on the cable, `lo ADDRESS` on its loopback. */
export function twoHosts(inner: readonly string[], outer: readonly string[]): TwoHosts {
  const [one, other] = [hold(), hold()];
  const at = ({ pid }: ChildProcess) => ['-t', String(pid), '-n', '-m', '--'];
  const run = (where: ChildProcess, script: string): string => {
    const { status, stdout, stderr } = spawnSync('nsenter', [...at(where), 'sh', '-c', script], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${script}\nexit ${status}: ${stdout}${stderr}`);
    return stdout;
  };
  const add = (places: readonly string[]) =>
    places.map(
      (each) =>
        `ip addr add ${each.replace(/^lo /, '')} dev ${each.startsWith('lo ') ? 'lo' : 'eth0'} ${each.includes(':') ? 'nodad' : ''}`,
    );
  run(one, `ip link set lo up; ip link add eth0 type veth peer name eth0 netns ${other.pid}`);
  run(one, ['set -e', ...add(inner), 'ip link set eth0 up'].join('\n'));
  run(other, ['set -e', 'ip link set lo up', ...add(outer), 'ip link set eth0 up'].join('\n'));
  const via = inner[0]?.replace(/\/.*/, '');
  run(other, `ip route add default via ${via}; ip route add 224.0.0.0/4 dev eth0`);
  // Without this the first packet waits for an answer, and comes after those that were sent later.
  const mac = run(one, "ip -o link show eth0 | sed 's,.*link/ether ,,; s, .*,,'").trim();
  const own = inner.filter((each) => !each.startsWith('lo ')).map((each) => each.replace(/\/.*/, ''));
  run(other, own.map((each) => `ip neigh replace ${each} lladdr ${mac} dev eth0 nud permanent`).join('\n'));
  return {
    inside: (script) => run(one, typeof script === 'string' ? script : renderSh(script, String)),
    outside: (script) => run(other, script),
    through: async (sent) => {
      const listener = spawn('nsenter', [...at(one), '/usr/bin/python3', packets, 'listen', '1', '2', '4', '6', '17', '41', '112'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let heard = '';
      listener.stdout.on('data', (data: Buffer) => {
        heard += data.toString();
      });
      while (!heard.includes('listening')) await once(listener.stdout, 'data');
      // ssh comes through always: when it does, all that were sent before have had their time.
      const all = [...sent, '6 10.18.43.99 10.18.43.10 22'].map((words, number) => `${number} ${words}\n`);
      try {
        run(other, `/usr/bin/python3 ${packets} send <<X\n${all.join('')}X`);
        while (!heard.includes(`\n${sent.length}\n`)) await once(listener.stdout, 'data');
      } finally {
        listener.kill();
      }
      return sent.filter((_, number) => heard.includes(`\n${number}\n`));
    },
    close: () => {
      for (const each of [one, other]) each.kill();
    },
  };
}

/** A process that keeps a namespace alive; it ends with us. */
function hold(): ChildProcess {
  const child = spawn('unshare', ['--net', '--mount', 'sh', '-c', 'mount -t tmpfs none /run && exec cat'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const end = Date.now() + 10_000;
  while (readFileSync(`/proc/${child.pid}/comm`, 'utf8') !== 'cat\n') if (Date.now() > end) throw new Error('no namespace');
  return child;
}
