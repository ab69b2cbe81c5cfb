import type { Example } from '../example.ts';
import { eachDirectorLeaves, everyServiceAnswers, firstService, losesAndRegains, urlOf } from '../proofs.ts';
import { ensure, exec } from '../vocabulary.ts';

export default {
  inventory: 'inventory/tun.yaml',
  note: 'TUN',
  proof: async (cluster) => {
    const service = firstService(cluster);
    const hosts = service.realServers.map(({ host }) => host);
    const arrived = () =>
      Promise.all(hosts.map(async (host) => Number(await exec(cluster, host, 'cat /sys/class/net/tunl0/statistics/rx_packets'))));
    const before = await arrived();
    await everyServiceAnswers(cluster);
    const after = await arrived();
    ensure(
      'requests reach each backend through its tunnel',
      after.every((count, index) => count > (before[index] ?? 0)),
      { before, after },
    );
    await losesAndRegains(cluster, service, 'web1', 'nginx');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
  },
} satisfies Example as Example;
