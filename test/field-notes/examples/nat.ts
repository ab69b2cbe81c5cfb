import type { Example } from '../example.ts';
import { eachDirectorLeaves, everyServiceAnswers, firstService, losesAndRegains, urlOf } from '../proofs.ts';
import { ensure, visit } from '../vocabulary.ts';

export default {
  inventory: 'inventory/nat.yaml',
  note: 'NAT',
  proof: async (cluster) => {
    const service = firstService(cluster);
    for (const { rip, port } of service.realServers) {
      const direct = await visit(cluster, 'probe', `http://${rip}:${port}/`, { options: '--connect-timeout 2' });
      ensure(
        `${rip} is out of the client's reach`,
        Object.keys(direct).every((answer) => answer.startsWith('curl: ')),
        direct,
      );
    }
    await everyServiceAnswers(cluster);
    await losesAndRegains(cluster, service, 'web1', 'nginx');
    // The real servers' gateway moves with the VIP, or no reply would find its way.
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
    await everyServiceAnswers(cluster);
  },
} satisfies Example as Example;
