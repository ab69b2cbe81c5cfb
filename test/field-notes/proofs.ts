/** What several examples prove in the same way. Each leaves the cluster as whole as it found it. */
import type { Protocol, ProxySite, VirtualServer } from '../../src/model.ts';
import type { Cluster } from './cluster.ts';
import { ensure, holderOf, holders, macOf, neighbour, stays, unit, until, untilRow, type Visits, visit } from './vocabulary.ts';

/** Longer than three adverts of a second and the longest skew: whoever would take the VIP back has taken it. */
const electionOver = 6;

/** `http://VIP:PORT/`, of either family; https on 443, udp for what is no TCP. */
export function urlOf({ vip, port, protocol }: { readonly vip: string; readonly port: number; readonly protocol?: Protocol }): string {
  return `${protocol === 'udp' ? 'udp' : port === 443 ? 'https' : 'http'}://${vip.includes(':') ? `[${vip}]` : vip}:${port}/`;
}

/** The words of `ipvsadm -Sn` that say that this backend is in the table, whatever its weight and forwarding; with a mark, whatever its port. */
export function rowOf({ vip, port, protocol, fwmark, realServers }: VirtualServer, backend: string): string {
  const real = realServers.find(({ host }) => host === backend);
  if (!real) throw new Error(`${backend} is no backend of ${vip}:${port}`);
  const at = (address: string, number: number) => `${address.includes(':') ? `[${address}]` : address}:${number}`;
  const service = fwmark ? `-f ${fwmark.mark}${vip.includes(':') ? ' -6' : ''}` : `-${protocol === 'udp' ? 'u' : 't'} ${at(vip, port)}`;
  return `-a ${service} -r ${fwmark ? at(real.rip, 0).replace(/0$/, '') : at(real.rip, real.port)}`;
}

/** The further addresses of the client, as many as a service needs that always gives one address the same backend. */
export function sourcesOf(cluster: Cluster, { vip, persistence, scheduler }: VirtualServer, most = 16): readonly string[] | undefined {
  if (persistence === undefined && !['sh', 'mh'].includes(scheduler)) return undefined;
  const all = cluster.fleet.hosts.find(({ name }) => name === 'probe')?.sources ?? [];
  return all.filter((address) => address.includes(':') === vip.includes(':')).slice(0, most);
}

/**
 * Each service is answered by its backends and by nobody else, each backend at least `fair` times as often as its weight says: 0.8 for
 * schedulers that count, 0.3 for those that look at connections, which remember what was before, or at addresses.
 */
export async function everyServiceAnswers(cluster: Cluster, { times = 30, fair }: { times?: number; fair?: number } = {}): Promise<void> {
  for (const service of cluster.fleet.services) {
    const from = sourcesOf(cluster, service);
    const requests = from?.length ?? times;
    const part = fair ?? (from === undefined && ['rr', 'wrr'].includes(service.scheduler) ? 0.8 : 0.3);
    const total = service.realServers.reduce((sum, { weight }) => sum + weight, 0);
    const share = ({ weight }: { readonly weight: number }) => Math.floor((requests * weight * part) / total);
    const least = Object.fromEntries(service.realServers.filter(({ weight }) => weight > 0).map((real) => [real.host, share(real)]));
    await spreads(cluster, urlOf(service), least, from ? { from } : { times });
  }
}

/** Each site of nginx on the directors is answered by the servers of its upstream and by nobody else. */
export async function everySiteAnswers(cluster: Cluster): Promise<void> {
  for (const site of cluster.fleet.proxy?.sites ?? []) {
    await siteIsAnsweredBy(cluster, site, site.upstream);
    for (const { match, upstream } of site.byUserAgent) await siteIsAnsweredBy(cluster, site, upstream, match.split('|')[0]);
  }
}

async function siteIsAnsweredBy(cluster: Cluster, site: ProxySite, name: string, browser?: string): Promise<void> {
  const upstream = cluster.fleet.proxy?.upstreams.find((each) => each.name === name);
  const servers = upstream?.servers.filter(({ backup }) => !backup).map(({ host }) => host) ?? [];
  const options = browser === undefined ? hostHeader(site) : `${hostHeader(site)} -A ${browser}`;
  const counts = await visit(cluster, 'probe', urlOf(site), { times: 12, options });
  const answered = Object.keys(counts);
  // By ip_hash one client always gets the same server.
  const all = upstream?.method === 'ip_hash' ? answered.length === 1 : servers.every((server) => answered.includes(server));
  ensure(
    `${urlOf(site)} ${options} answered by ${servers.join(', ')}`,
    all && answered.every((server) => servers.includes(server)),
    counts,
  );
}

/** What curl must say to get this site. */
export function hostHeader({ serverName }: ProxySite): string {
  return serverName === undefined ? '' : `-H 'Host: ${serverName}'`;
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

/** The only service, or the first. */
export function firstService({ fleet }: Cluster): VirtualServer {
  const [service] = fleet.services;
  if (!service) throw new Error(`${fleet.file} has no service`);
  return service;
}

export function firstSite({ fleet }: Cluster): ProxySite {
  const [site] = fleet.proxy?.sites ?? [];
  if (!site) throw new Error(`nginx on the directors of ${fleet.file} has no site`);
  return site;
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

/** Whether this director takes its VIP back when it returns: it does under master-backup, with the highest priority. */
function returns({ fleet }: Cluster, vip: string, host: string): boolean {
  const instance = fleet.vrrp?.instances.find(({ addresses }) => addresses.some(({ address }) => address === vip));
  if (instance?.mode !== 'master-backup') return false;
  const priority = (name: string) => {
    const found = fleet.hosts.find((each) => each.name === name);
    return found?.priorities?.[instance.instance] ?? found?.priority ?? 0;
  };
  return fleet.hosts.every(({ name, role }) => role !== 'director' || name === host || priority(name) < priority(host));
}

interface Failure {
  /** Makes a director unfit. */
  readonly fail: (host: string) => Promise<unknown>;
  /** Makes it fit again, and waits until it takes part. */
  readonly mend: (host: string) => Promise<unknown>;
}

/** The holder of the VIP fails: the VIP moves and the client is served. The holder is mended: it takes the VIP back if it should, or not. */
export async function failsOver(cluster: Cluster, vip: string, url: string, { fail, mend }: Failure): Promise<void> {
  const before = await holderOf(cluster, vip);
  const held = async (by: (host: string) => boolean) => {
    const all = await holders(cluster, vip);
    return all.length === 1 && by(all[0]?.split(' ')[0] ?? '') ? undefined : all.join(', ') || 'nobody has it';
  };
  await fail(before);
  await until(`${vip} leaves ${before}`, () => held((host) => host !== before));
  const after = await holderOf(cluster, vip);
  await reachesHolder(cluster, vip, url);
  await mend(before);
  if (returns(cluster, vip, before)) await until(`${vip} returns to ${before}`, () => held((host) => host === before), 90);
  else await stays(`${before} is back and ${after} keeps ${vip}`, () => held((host) => host === after), electionOver);
  await reachesHolder(cluster, vip, url);
}

/** keepalived stops on the holder and starts again; where the VIP stays with the other, that one leaves too. */
export async function eachDirectorLeaves(cluster: Cluster, vip: string, url: string): Promise<void> {
  const failure = { fail: (host: string) => unit(cluster, host, 'stop', 'keepalived'), mend: (host: string) => rejoin(cluster, host) };
  const first = await holderOf(cluster, vip);
  await failsOver(cluster, vip, url, failure);
  if ((await holderOf(cluster, vip)) !== first) await failsOver(cluster, vip, url, failure);
}

/** Starts keepalived and waits until it takes part in the election. */
export async function rejoin(cluster: Cluster, host: string): Promise<void> {
  await unit(cluster, host, 'start', 'keepalived');
  const run = '$(systemctl show --property=InvocationID --value keepalived)';
  const entered = `journalctl -b --output=cat _SYSTEMD_INVOCATION_ID=${run} | grep -q -e 'Entering BACKUP STATE' -e 'Entering MASTER STATE'`;
  await until(`keepalived of ${host} takes part in the election`, async () =>
    (await cluster.shell(host, entered)).exit === 0 ? undefined : 'not yet',
  );
}

/** A backend's unit stops: it leaves all tables, the others serve; it starts: it comes back and serves. */
export async function losesAndRegains(cluster: Cluster, service: VirtualServer, backend: string, name: string): Promise<void> {
  const row = rowOf(service, backend);
  // Who came while it was away stays where it was sent: who comes afterwards has not been here.
  const from = sourcesOf(cluster, service);
  const half = Math.ceil((from?.length ?? 0) / 2);
  const visits = from ? { from: from.slice(0, half) } : { times: 12 };
  const later = from ? { from: from.slice(half) } : visits;
  const others = service.realServers.filter(({ host, weight }) => host !== backend && weight > 0).map(({ host }) => host);
  await untilRow(cluster, true, row);
  await unit(cluster, backend, 'stop', name);
  await untilRow(cluster, false, row);
  await spreads(cluster, urlOf(service), Object.fromEntries(others.map((host) => [host, 1])), visits);
  await unit(cluster, backend, 'start', name);
  await untilRow(cluster, true, row);
  await until(`${backend} serves again`, async () => {
    const counts = await visit(cluster, 'probe', urlOf(service), later);
    return counts[backend] === undefined ? JSON.stringify(counts) : undefined;
  });
}
