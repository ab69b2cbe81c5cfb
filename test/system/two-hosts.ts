/** Two hosts in network namespaces of this machine's kernel, joined by a cable: one behind a firewall, one that sends to it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderSh, type Sh } from '../../src/sh/sh.ts';

const packets = fileURLToPath(new URL('packets.py', import.meta.url));

export interface TwoHosts {
  readonly outer: NetHost;
  /** Runs shell on the one with the firewall; its output. Throws where it fails. */
  inside(script: string | Sh): string;
  outside(script: string): string;
  /** Sends packets (`PROTOCOL FROM TO [PORT [FLAGS]]`) from outside; those of them that came through. */
  through(sent: readonly string[]): Promise<readonly string[]>;
  close(): void;
}

/** A host of which only the network matters is where one process lives; another has files of its own. */
export interface NetHost {
  readonly pid: number;
  readonly whole?: boolean;
}

/**
 * `inner`, `outer`: addresses in CIDR notation, the inner host's first on the cable, `lo ADDRESS` on its loopback. The inner one may be
 * there already.
 */
export function twoHosts(inner: readonly string[], outer: readonly string[], booted?: NetHost): TwoHosts {
  const one = booted ?? hold();
  const other = hold();
  cable(one, 'eth0', inner, other, outer);
  const via = inner[0]?.replace(/\/.*/, '');
  runAt(other, `ip route add default via ${via}; ip route add 224.0.0.0/4 dev eth0`);
  return {
    outer: other,
    inside: (script) => runAt(one, typeof script === 'string' ? script : renderSh(script, String)),
    outside: (script) => runAt(other, script),
    // ssh comes through always.
    through: (sent) => through(other, one, sent, { from: other, words: '6 10.18.43.99 10.18.43.10 22' }),
    close: () => {
      for (const each of [other, ...(booted ? [] : [one])]) process.kill(each.pid);
    },
  };
}

/** Runs shell there; its output. Throws where it fails. */
export function runAt({ pid, whole }: NetHost, script: string): string {
  const words = ['-t', String(pid), ...(whole ? ['-a'] : ['-n', '-m']), '--', 'sh', '-c', script];
  const { status, stdout, stderr } = spawnSync('nsenter', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${script}\nexit ${status}: ${stdout}${stderr}`);
  return stdout;
}

/** From the card `nic` of the one to eth0 of the other. */
export function cable(one: NetHost, nic: string, inner: readonly string[], other: NetHost, outer: readonly string[]): void {
  const add = (card: string, places: readonly string[]) =>
    places.map(
      (each) => `ip addr add ${each.replace(/^lo /, '')} dev ${each.startsWith('lo ') ? 'lo' : card} ${each.includes(':') ? 'nodad' : ''}`,
    );
  // By its number, which the one that has processes of its own does not know.
  runAt(other, `ip link add eth0 type veth peer name made && ip link set made netns ${one.pid}`);
  runAt(one, ['set -e', 'ip link set lo up', `ip link set made name ${nic}`, ...add(nic, inner), `ip link set ${nic} up`].join('\n'));
  runAt(other, ['set -e', 'ip link set lo up', ...add('eth0', outer), 'ip link set eth0 up'].join('\n'));
  knows(other, 'eth0', inner, macOf(one, nic));
  knows(one, nic, outer, macOf(other, 'eth0'));
}

function macOf(host: NetHost, nic: string): string {
  return runAt(host, `ip -o link show ${nic} | sed 's,.*link/ether ,,; s, .*,,'`).trim();
}

/** Without this the first packet waits for an answer, and comes after those that were sent later. */
function knows(host: NetHost, nic: string, addresses: readonly string[], mac: string): void {
  const own = addresses.filter((each) => !each.startsWith('lo ')).map((each) => each.replace(/\/.*/, ''));
  runAt(host, own.map((each) => `ip neigh replace ${each} lladdr ${mac} dev ${nic} nud permanent`).join('\n'));
}

/**
 * Sends packets (`PROTOCOL FROM TO [PORT [FLAGS]]`, a port below zero is the sender's; those of ICMP: packets.py); those of them that came through. When the last
 * comes, which nothing may hold up, all that were sent before have had their time.
 */
export async function through(
  from: NetHost,
  to: NetHost,
  sent: readonly string[],
  last: { readonly from: NetHost; readonly words: string },
): Promise<readonly string[]> {
  const at = ({ pid }: NetHost) => ['-t', String(pid), '-n', '--', '/usr/bin/python3', packets];
  // A ping that was answered is a connection to the firewall for half a minute, and admitted as such.
  const forget = 'echo 0 2>/dev/null >/proc/sys/net/netfilter/nf_conntrack_icmp_timeout || :';
  spawnSync('nsenter', ['-t', String(to.pid), '-n', '--', 'sh', '-c', forget]);
  const listener = spawn('nsenter', [...at(to), 'listen', ...protocols], { stdio: ['ignore', 'pipe', 'inherit'] });
  let heard = '';
  listener.stdout.on('data', (data: Buffer) => {
    heard += data.toString();
  });
  const until = async (word: string) => {
    while (!heard.includes(word)) await once(listener.stdout, 'data', { signal: AbortSignal.timeout(30_000) });
  };
  const send = (host: NetHost, lines: readonly string[]) => {
    const { status, stderr } = spawnSync('nsenter', [...at(host), 'send'], { input: lines.join(''), encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  try {
    await until('listening');
    send(
      from,
      sent.map((words, number) => `${number} ${words}\n`),
    );
    send(last.from, [`${sent.length} ${last.words}\n`]);
    await until(`\n${sent.length}\n`);
  } finally {
    listener.kill();
  }
  return sent.filter((_, number) => heard.includes(`\n${number}\n`));
}

const protocols = ['1', '2', '4', '6', '17', '41', '58', '112'];

/** A process that keeps a namespace alive; it ends with us. */
export function hold(): NetHost {
  const child = spawn('unshare', ['--net', '--mount', 'sh', '-c', 'mount -t tmpfs none /run && exec cat'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  if (child.pid === undefined) throw new Error('no namespace');
  const end = Date.now() + 10_000;
  while (readFileSync(`/proc/${child.pid}/comm`, 'utf8') !== 'cat\n') if (Date.now() > end) throw new Error('no namespace');
  return { pid: child.pid };
}
