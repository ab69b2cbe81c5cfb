import type { Example } from '../example.ts';
import { everyServiceAnswers, losesAndRegains, reachesHolder, rejoin, urlOf } from '../proofs.ts';
import { ensure, holderOf, unit, until } from '../vocabulary.ts';

export default {
  inventory: 'inventory/multi-vip.yaml',
  note: 'several VIPs',
  proof: async (cluster) => {
    const { vips, services } = cluster.fleet;
    await everyServiceAnswers(cluster);
    const now = async () => (await Promise.all(vips.map((vip) => holderOf(cluster, vip)))).join();
    const becomes = (what: string, wanted: string) =>
      until(what, async () => {
        const holders = await now();
        return holders === wanted ? undefined : holders;
      });
    const shared = await now();
    ensure('each director has a VIP', shared === 'dr1,dr2', shared);
    await unit(cluster, 'dr1', 'stop', 'keepalived');
    await becomes('dr2 has all VIPs', 'dr2,dr2');
    for (const service of services) await reachesHolder(cluster, service.vip, urlOf(service));
    await rejoin(cluster, 'dr1');
    await becomes('each VIP is back where it was', shared);
    for (const service of services) await losesAndRegains(cluster, service, 'web1', 'nginx');
  },
} satisfies Example as Example;
