import type { Example } from '../example.ts';
import { eachDirectorLeaves, everyServiceAnswers, firstService, losesAndRegains, reachesHolder, urlOf } from '../proofs.ts';

export default {
  inventory: 'inventory/ipv6.yaml',
  note: 'IPv6',
  proof: async (cluster) => {
    const service = firstService(cluster);
    await everyServiceAnswers(cluster);
    await reachesHolder(cluster, service.vip, urlOf(service));
    await losesAndRegains(cluster, service, 'web1', 'nginx');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
    await everyServiceAnswers(cluster);
  },
} satisfies Example as Example;
