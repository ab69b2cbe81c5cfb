import type { Cluster } from '../cluster.ts';
import type { Example } from '../example.ts';
import { eachDirectorLeaves, everyServiceAnswers, firstService, losesAndRegains, urlOf } from '../proofs.ts';
import { ensure, exec } from '../vocabulary.ts';

/** Bytes: many full packets, and less than nginx takes of a request. */
const large = 200_000;

export default {
  inventory: 'inventory/tun.yaml',
  note: 'TUN',
  proof: async (cluster) => {
    const service = firstService(cluster);
    const hosts = service.realServers.map(({ host }) => host);
    const arrived = () =>
      Promise.all(hosts.map(async (host) => Number(await exec(cluster, host, 'cat /sys/class/net/tunl0/statistics/rx_bytes'))));
    const before = await arrived();
    await everyServiceAnswers(cluster);
    await carriesFullPackets(cluster, service.vip);
    const after = await arrived();
    ensure(
      'requests, and what is uploaded, reach each backend through its tunnel',
      after.every((count, index) => count - (before[index] ?? 0) > large),
      { before, after },
    );
    await losesAndRegains(cluster, service, 'web1', 'nginx');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
  },
} satisfies Example as Example;

/** Uploads and downloads of many full packets, enough of them for each backend to get one. */
async function carriesFullPackets(cluster: Cluster, vip: string): Promise<void> {
  const backends = cluster.fleet.hosts.filter(({ role }) => role === 'backend').map(({ name }) => name);
  const everywhere = (script: string) => Promise.all(backends.map((name) => exec(cluster, name, script)));
  const page = '/var/www/lvsctl/host/large';
  await everywhere(`head -c ${large} /dev/zero >${page} && chmod 644 ${page}`);
  // nginx answers a GET with a page and still takes its body to the end.
  const ask = `head -c ${large} /dev/zero | curl -s -m 15 -X GET --data-binary @- -H 'Expect:' -o /dev/null -w '%{http_code} %{size_upload} %{size_download}\\n' http://${vip}/large`;
  const sizes = await exec(cluster, 'probe', `for i in 1 2 3 4 5 6; do ${ask} || echo "curl: exit $?"; done`);
  await everywhere(`rm ${page}`);
  ensure(`${large} bytes there and back, six times`, sizes === Array(6).fill(`200 ${large} ${large}`).join('\n'), sizes);
  // A client whose segments were too long at first remembers the smaller MTU that the director told it of.
  const route = await exec(cluster, 'probe', `ip route get ${vip}`);
  ensure('the segments fit into the tunnel from the first on', !route.includes(' mtu '), route);
}
