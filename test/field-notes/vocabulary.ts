/** The words that proofs are made of. Whatever does not hold throws a sentence that says what was seen. */
import { isIPv6 } from 'node:net';
import type { Cluster } from './cluster.ts';

/** What a script printed; throws when it does not exit 0. */
export async function exec(cluster: Cluster, host: string, script: string): Promise<string> {
  const { exit, said } = await cluster.shell(host, script);
  if (exit !== 0) throw new Error(`on ${host}: exit ${exit} of \`${script.trim().split('\n')[0]}\`: ${said.slice(-400)}`);
  return said;
}

/** Polls until it holds; throws what it saw last when it does not within `seconds`. `look` gives what is wrong, nothing when it holds. */
export async function until(what: string, look: () => Promise<string | undefined>, seconds = 40): Promise<void> {
  let wrong: string | undefined;
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 500))) {
    wrong = await look().catch((error: Error) => error.message);
    if (wrong === undefined) return;
  }
  throw new Error(`not within ${seconds} s: ${what}; seen last: ${wrong}`);
}

/** Looks again and again for so many seconds; throws as soon as it does not hold. For what must not happen. */
export async function stays(what: string, look: () => Promise<string | undefined>, seconds: number): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 500))) {
    const wrong = await look();
    if (wrong !== undefined) throw new Error(`did not stay so for ${seconds} s: ${what}; then: ${wrong}`);
  }
}

export function ensure(what: string, holds: boolean, seen: unknown): void {
  if (!holds) throw new Error(`expected: ${what}; seen: ${typeof seen === 'string' ? seen : JSON.stringify(seen)}`);
}

export const unit = (cluster: Cluster, host: string, verb: 'start' | 'stop' | 'restart', name: string): Promise<string> =>
  exec(cluster, host, `systemctl ${verb} ${name}`);

/** Ends all processes of this name with SIGKILL, in one go: their master has no time to make new ones. */
export const killHard = (cluster: Cluster, host: string, name: string): Promise<string> =>
  exec(
    cluster,
    host,
    `pids=$(for folder in /proc/[0-9]*; do
  if read -r command <"$folder/comm" && [ "$command" = ${name} ]; then echo "\${folder#/proc/}"; fi
done 2>/dev/null)
[ -n "$pids" ] || { echo 'no process ${name}'; exit 1; }
# A worker of before a reload may have ended by itself since; that the others have not shows in what follows.
kill -9 $pids 2>/dev/null || :`,
  );

/** Restarts a machine from within and waits until a new kernel has started all that it starts. */
export async function reboot(cluster: Cluster, host: string): Promise<void> {
  const bootId = () => exec(cluster, host, 'cat /proc/sys/kernel/random/boot_id');
  const before = await bootId();
  await cluster.shell(host, 'systemctl reboot').catch(() => {});
  await until(`${host} has booted again`, async () => ((await bootId()) === before ? 'the old kernel' : undefined), 180);
  await cluster.shell(host, 'systemctl is-system-running --wait');
}

export interface Visits {
  /** How often; one new connection each. */
  readonly times?: number;
  /** The client's own address unless said; each is lent to its first NIC for as long as it takes, and used so many `times`. */
  readonly from?: readonly string[];
  /** Further words for curl. */
  readonly options?: string;
}

/**
 * Asks for a URL over new connections, or `udp://ADDRESS:PORT/` by new packets, and counts answers by who gave them: the name of the host that the page holds, else the page's first
 * 60 characters, else `curl: exit N`.
 */
export async function visit(cluster: Cluster, client: string, url: string, visits: Visits = {}): Promise<Readonly<Record<string, number>>> {
  const { times = 1, from = [''], options = '' } = visits;
  const nic = cluster.fleet.hosts.find(({ name }) => name === client)?.interfaces[0]?.name ?? 'eth0';
  const lend = from.filter((address) => address !== '');
  const borrowed = (verb: string) => lend.map((address) => `ip addr ${verb} ${lent(address)} dev ${nic} 2>/dev/null || :`).join('\n');
  const udp = /^udp:\/\/\[?([^\]]+)\]?:(\d+)\/$/.exec(url);
  const ask = (address: string) =>
    udp ? datagram(udp[1] ?? '', udp[2] ?? '') : `curl -gsk -m 5 ${address && `--interface ${address}`} ${options} '${url}' 2>&1`;
  const asked = from.map(
    (address) => `i=0; while [ $i -lt ${times} ]; do i=$((i + 1))
page=$(${ask(address)}) || page="curl: exit $?"; printf '%s\\n\\036' "$page"; done`,
  );
  const said = await exec(cluster, client, `${borrowed('add')}\n${asked.join('\n')}\n${borrowed('del')}`);
  const names = cluster.fleet.hosts.map(({ name }) => name);
  return tally(
    said
      .split('\u001e')
      .filter((page) => page.trim() !== '')
      .map((page) => markerOf(page, names)),
  );
}

/** One packet out and one back, from a port of its own; what one read does not take of a packet is lost. */
function datagram(address: string, port: string): string {
  return `timeout 3 bash -c 'exec 3<>/dev/udp/${address}/${port} && echo hi >&3 && dd bs=65536 count=1 status=none <&3' 2>&1`;
}

function lent(address: string): string {
  return isIPv6(address) ? `${address}/128 nodad` : `${address}/32`;
}

/** The host whose name stands in the page as a word. Pure. */
export function markerOf(page: string, names: readonly string[]): string {
  const words = page.split(/[^A-Za-z0-9_-]+/);
  return names.find((name) => words.includes(name)) ?? page.trim().replace(/\s+/g, ' ').slice(0, 60);
}

function tally(markers: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const marker of markers) counts[marker] = (counts[marker] ?? 0) + 1;
  return counts;
}

const directorsOf = (cluster: Cluster) => cluster.fleet.hosts.filter(({ role }) => role === 'director').map(({ name }) => name);

/** `HOST DEVICE` of every director that has this address; one that is off has none. */
export async function holders(cluster: Cluster, vip: string): Promise<readonly string[]> {
  const script = `ip -o addr show to ${vip} | while read -r _ dev _; do echo "$dev"; done`;
  const found = directorsOf(cluster).map(async (name) => {
    const { exit, said } = await cluster.shell(name, script).catch(() => ({ exit: null, said: '' }));
    return exit === 0 ? said.split('\n').flatMap((dev) => (dev === '' || dev === 'lo' ? [] : `${name} ${dev}`)) : [];
  });
  return (await Promise.all(found)).flat();
}

/** Waits until exactly one director has the address, and says which. */
export async function holderOf(cluster: Cluster, vip: string, seconds = 40): Promise<string> {
  let holder = '';
  const look = async () => {
    const all = await holders(cluster, vip);
    holder = all[0]?.split(' ')[0] ?? '';
    return all.length === 1 ? undefined : all.join(', ') || 'nobody';
  };
  await until(`one director has ${vip}`, look, seconds);
  return holder;
}

/** The MAC that a host has in its neighbour table for an address it has just sent something to. */
export const neighbour = (cluster: Cluster, host: string, address: string): Promise<string> =>
  exec(
    cluster,
    host,
    `ping -c 1 -W 1 ${address} >/dev/null 2>&1 || :; ip neigh show to ${address} | sed -n 's/.* lladdr \\([^ ]*\\).*/\\1/p'`,
  );

export const macOf = (cluster: Cluster, host: string, nic: string): Promise<string> =>
  exec(cluster, host, `cat /sys/class/net/${nic}/address`);

/** A director's table in the words of `ipvsadm -Sn`, one line per virtual and per real server. */
export const tableOf = async (cluster: Cluster, director: string): Promise<readonly string[]> =>
  (await exec(cluster, director, 'ipvsadm -Sn')).split('\n').filter((line) => line !== '');

/** Whether these words stand in the line; the last one may end with `:` for any port. Pure. */
export function hasWords(line: string, words: string): boolean {
  return ` ${line} `.includes(words.endsWith(':') ? ` ${words}` : ` ${words} `);
}

/** Waits until the tables of all these directors have, or no longer have, a line of which these are words; weight 0 is as good as gone. */
export async function untilRow(cluster: Cluster, there: boolean, row: string, among = directorsOf(cluster)): Promise<void> {
  const look = async () => {
    const tables = await Promise.all(among.map(async (name) => ({ name, rows: await tableOf(cluster, name) })));
    const wrong = tables.filter(({ rows }) => rows.some((line) => hasWords(line, row) && !hasWords(line, '-w 0')) !== there);
    return wrong.length === 0 ? undefined : wrong.map(({ name, rows }) => `${name} has ${rows.join('; ') || 'nothing'}`).join(' | ');
  };
  await until(`${among.join(' and ')} ${there ? 'have' : 'no longer have'} "${row}"`, look, 90);
}
