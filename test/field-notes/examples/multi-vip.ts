import type { Example } from '../example.ts';
import { everyServiceAnswers, reachesHolder, urlOf } from '../proofs.ts';
import { ensure, holderOf, unit, until } from '../vocabulary.ts';

export default {
  inventory: 'inventory/multi-vip.yaml',
  note: 'several VIPs',
  proof: async (cluster) => {
    const { vips, services } = cluster.fleet;
    await everyServiceAnswers(cluster);
    const holdersNow = () => Promise.all(vips.map((vip) => holderOf(cluster, vip)));
    const before = await holdersNow();
    ensure('the directors share the VIPs', new Set(before).size > 1, before);
    await unit(cluster, 'dr1', 'stop', 'keepalived');
    await until('dr2 has all VIPs', async () => {
      const now = await holdersNow();
      return now.every((host) => host === 'dr2') ? undefined : now.join(', ');
    });
    for (const service of services) await reachesHolder(cluster, service.vip, urlOf(service));
    await unit(cluster, 'dr1', 'start', 'keepalived');
    await until('each VIP is back where it was', async () => {
      const now = await holdersNow();
      return now.join() === before.join() ? undefined : now.join(', ');
    });
    await everyServiceAnswers(cluster);
  },
} satisfies Example as Example;
