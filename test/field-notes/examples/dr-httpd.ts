import type { Example } from '../example.ts';
import { eachDirectorLeaves, everyServiceAnswers, firstService, losesAndRegains, urlOf } from '../proofs.ts';
import { ensure, exec } from '../vocabulary.ts';

export default {
  inventory: 'inventory/dr-httpd.yaml',
  note: 'S3',
  proof: async (cluster) => {
    const service = firstService(cluster);
    await everyServiceAnswers(cluster);
    for (const { name } of cluster.fleet.hosts.filter(({ role }) => role !== 'client')) {
      const seen = await exec(cluster, name, `hostname; getent hosts lvs-webserver2`);
      ensure(`${name} has its name and knows the others`, seen.startsWith(`${name}\n192.168.80.103`), seen);
    }
    await losesAndRegains(cluster, service, 'lvs-webserver1', 'apache2');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
  },
} satisfies Example as Example;
