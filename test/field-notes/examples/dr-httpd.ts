import type { Example } from '../example.ts';
import { eachDirectorLeaves, everyServiceAnswers, losesAndRegains, urlOf } from '../proofs.ts';

export default {
  inventory: 'inventory/dr-httpd.yaml',
  note: 'S3',
  proof: async (cluster) => {
    const [service] = cluster.fleet.services;
    if (!service) throw new Error('there is no service');
    await everyServiceAnswers(cluster);
    await losesAndRegains(cluster, service, 'web1', 'apache2');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
  },
} satisfies Example as Example;
