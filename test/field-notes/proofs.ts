/** What several examples prove in the same way. Each leaves the cluster as whole as it found it. */
import type { Cluster } from './cluster.ts';
import { ensure, holderOf, holders, macOf, neighbour, stays, unit, until, untilRow, type Visits, visit } from './vocabulary.ts';

/** Longer than three adverts of a second and the longest skew: whoever would take the VIP back has taken it. */
const electionOver = 6;

/** `http://VIP:PORT/`, IPv6 or not. */
export function urlOf(vip: string, port = 80, scheme = 'http'): string {
  return `${scheme}://${vip.includes(':') ? `[${vip}]` : vip}:${port}/`;
}

/** Every one of these answers through the URL, at least `least` times each, and nothing else does. */
export async function spreads(cluster: Cluster, url: string, least: Readonly<Record<string, number>>, visits: Visits): Promise<void> {
  const counts = await visit(cluster, 'probe', url, visits);
  const enough = Object.entries(least).every(([name, times]) => (counts[name] ?? 0) >= times);
  const strangers = Object.keys(counts).some((name) => !(name in least));
  ensure(`${url} answered at least so often by each and by no other: ${JSON.stringify(least)}`, enough && !strangers, counts);
}

/** All requests to these URLs from the client's own address are answered by one backend. */
export async function staysWithOne(cluster: Cluster, urls: readonly string[], times = 4): Promise<void> {
  const all = await Promise.all(urls.map((url) => visit(cluster, 'probe', url, { times })));
  const names = new Set(all.flatMap((counts) => Object.keys(counts)));
  const backends = cluster.fleet.hosts.filter(({ role }) => role !== 'client').map(({ name }) => name);
  ensure(
    `one client address stays with one server over ${urls.join(' and ')}`,
    names.size === 1 && backends.includes([...names][0] ?? ''),
    all,
  );
}

/** What the client asks for goes to the director that has the VIP: its MAC is the holder's, on the VIP's interface. */
export async function reachesHolder(cluster: Cluster, vip: string, url: string): Promise<void> {
  await until(`the client takes ${vip} to be where it is, and is answered`, async () => {
    const [holder = ''] = await holders(cluster, vip);
    const [name = '', nic = ''] = holder.split(' ');
    const [mac, counts] = [await neighbour(cluster, 'probe', vip), await visit(cluster, 'probe', url)];
    if (mac !== (await macOf(cluster, name, nic))) return `the VIP is on ${holder}, the client sends to ${mac}`;
    return Object.keys(counts).some((answer) => answer.startsWith('curl: ')) ? JSON.stringify(counts) : undefined;
  });
}

/**
 * Takes the holder of the VIP out of service, sees the VIP move and the client served, puts it back and sees whether the VIP returns.
 * `returns`: whether it must, once the former holder is back.
 */
export async function failsOver(
  cluster: Cluster,
  {
    vip,
    url,
    fail,
    mend,
    returns,
  }: { vip: string; url: string; fail: (host: string) => Promise<unknown>; mend: (host: string) => Promise<unknown>; returns: boolean },
): Promise<void> {
  const before = await holderOf(cluster, vip);
  await fail(before);
  const held = async (by: (host: string) => boolean) => {
    const all = await holders(cluster, vip);
    return all.length === 1 && by(all[0]?.split(' ')[0] ?? '') ? undefined : all.join(', ') || 'nobody has it';
  };
  await until(`${vip} leaves ${before}`, () => held((host) => host !== before));
  const after = await holderOf(cluster, vip);
  await reachesHolder(cluster, vip, url);
  await mend(before);
  if (returns) await until(`${vip} returns to ${before}`, () => held((host) => host === before));
  else await stays(`${before} is back and ${after} keeps ${vip}`, () => held((host) => host === after), electionOver);
  await reachesHolder(cluster, vip, url);
}

/** keepalived is stopped on the holder and started again, until each director has been the one to return. */
export async function eachDirectorLeaves(cluster: Cluster, vip: string, url: string, returns = false): Promise<void> {
  for (let turn = 0; turn < (returns ? 1 : 2); turn++) {
    await failsOver(cluster, {
      vip,
      url,
      fail: (host) => unit(cluster, host, 'stop', 'keepalived'),
      mend: async (host) => {
        await unit(cluster, host, 'start', 'keepalived');
        const entered = `journalctl -b --output=cat _SYSTEMD_INVOCATION_ID=$(systemctl show --property=InvocationID --value keepalived) | grep -q 'Entering BACKUP STATE'`;
        await until(`keepalived of ${host} has entered the election`, async () =>
          (await cluster.shell(host, entered)).exit === 0 ? undefined : 'not yet',
        );
      },
      returns,
    });
  }
}

/** A backend's service is stopped: it leaves all tables, the others serve; started, it comes back and serves. */
export async function losesAndRegains(
  cluster: Cluster,
  {
    backend,
    service,
    row,
    url,
    others,
    visits,
  }: { backend: string; service: string; row: string; url: string; others: readonly string[]; visits: Visits },
): Promise<void> {
  await untilRow(cluster, true, row);
  await unit(cluster, backend, 'stop', service);
  await untilRow(cluster, false, row);
  await spreads(cluster, url, Object.fromEntries(others.map((name) => [name, 1])), visits);
  await unit(cluster, backend, 'start', service);
  await untilRow(cluster, true, row);
  await until(`${backend} serves again`, async () => {
    const counts = await visit(cluster, 'probe', url, visits);
    return counts[backend] === undefined ? JSON.stringify(counts) : undefined;
  });
}
