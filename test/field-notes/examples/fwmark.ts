import type { Example } from '../example.ts';
import { eachDirectorLeaves, losesAndRegains, urlOf } from '../proofs.ts';
import { ensure, visit } from '../vocabulary.ts';

export default {
  inventory: 'inventory/fwmark.yaml',
  note: 'fwmark',
  proof: async (cluster) => {
    const service = cluster.fleet.services.find(({ fwmark }) => fwmark !== undefined);
    if (!service) throw new Error('no service has a firewall mark');
    const urls = [`http://${service.vip}/`, `https://${service.vip}/`];
    const sources = cluster.fleet.hosts.find(({ name }) => name === 'probe')?.sources?.slice(0, 12) ?? [];
    const seen = new Set<string>();
    for (const from of sources) {
      const counts = await Promise.all(urls.map((url) => visit(cluster, 'probe', url, { from: [from], times: 2 })));
      const names = new Set(counts.flatMap((each) => Object.keys(each)));
      ensure(`${from} stays with one backend over ports 80 and 443`, names.size === 1, counts);
      for (const name of names) seen.add(name);
    }
    ensure(
      'several clients are spread over the backends',
      ['web1', 'web2'].every((name) => seen.has(name)),
      [...seen],
    );
    await losesAndRegains(cluster, service, 'web1', 'nginx');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
  },
} satisfies Example as Example;
