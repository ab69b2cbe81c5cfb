import type { Example } from '../example.ts';
import { eachDirectorLeaves, everyServiceAnswers, losesAndRegains, urlOf } from '../proofs.ts';
import { ensure, exec } from '../vocabulary.ts';

export default {
  inventory: 'inventory/tun.yaml',
  note: 'TUN',
  proof: async (cluster) => {
    const [service] = cluster.fleet.services;
    if (!service) throw new Error('there is no service');
    const tunnelled = async (host: string) => Number(await exec(cluster, host, 'cat /sys/class/net/tunl0/statistics/rx_packets'));
    const hosts = service.realServers.map(({ host }) => host);
    const before = await Promise.all(hosts.map(tunnelled));
    await everyServiceAnswers(cluster);
    const after = await Promise.all(hosts.map(tunnelled));
    ensure(
      'requests reach each backend through its tunnel',
      after.every((count, index) => count > (before[index] ?? 0)),
      { before, after },
    );
    await losesAndRegains(cluster, service, 'web1', 'nginx');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
  },
} satisfies Example as Example;
