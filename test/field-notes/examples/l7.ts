import type { Example } from '../example.ts';
import { failsOver, siteAnswers } from '../proofs.ts';
import { ensure, killHard, unit, until, visit } from '../vocabulary.ts';

export default {
  inventory: 'inventory/l7.yaml',
  note: 'layer 7',
  proof: async (cluster) => {
    const url = await siteAnswers(cluster);
    await unit(cluster, 'web1', 'stop', 'nginx');
    const counts = await visit(cluster, 'probe', url, { times: 6 });
    ensure(
      'no request is lost while a backend is away',
      Object.keys(counts).every((name) => name !== 'web1' && !name.startsWith('curl: ')),
      counts,
    );
    await unit(cluster, 'web1', 'start', 'nginx');
    await until('web1 serves again', async () => {
      const now = await visit(cluster, 'probe', url, { times: 6 });
      return now.web1 === undefined ? JSON.stringify(now) : undefined;
    });
    const vip = cluster.fleet.vips[0] ?? '';
    await failsOver(cluster, vip, url, {
      fail: (host) => killHard(cluster, host, 'nginx'),
      mend: (host) => unit(cluster, host, 'restart', 'nginx'),
    });
  },
} satisfies Example as Example;
