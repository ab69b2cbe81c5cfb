import type { Example } from '../example.ts';
import { eachDirectorLeaves, firstService, losesAndRegains, sourcesOf, urlOf } from '../proofs.ts';
import { ensure, visit } from '../vocabulary.ts';

export default {
  inventory: 'inventory/fwmark.yaml',
  note: 'fwmark',
  proof: async (cluster) => {
    const service = firstService(cluster);
    const seen = new Set<string>();
    for (const from of sourcesOf(cluster, service, 8) ?? []) {
      const visits = { from: [from], times: 2 };
      const names = [
        ...Object.keys(await visit(cluster, 'probe', `http://${service.vip}/`, visits)),
        ...Object.keys(await visit(cluster, 'probe', `https://${service.vip}/`, visits)),
      ];
      ensure(`${from} stays with one backend over ports 80 and 443`, new Set(names).size === 1, names);
      for (const name of names) seen.add(name);
    }
    ensure('several clients are spread over the backends', [...seen].sort().join() === 'web1,web2', [...seen]);
    await losesAndRegains(cluster, service, 'web1', 'nginx');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
  },
} satisfies Example as Example;
