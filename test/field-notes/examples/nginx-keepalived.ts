import type { Example } from '../example.ts';
import { failsOver, siteAnswers } from '../proofs.ts';
import { killHard, unit } from '../vocabulary.ts';

export default {
  inventory: 'inventory/nginx-keepalived.yaml',
  note: 'S2',
  proof: async (cluster) => {
    const url = await siteAnswers(cluster);
    const vip = cluster.fleet.vips[0] ?? '';
    await failsOver(cluster, vip, url, {
      fail: (host) => killHard(cluster, host, 'nginx'),
      mend: (host) => unit(cluster, host, 'restart', 'nginx'),
    });
    await failsOver(cluster, vip, url, {
      fail: (host) => unit(cluster, host, 'stop', 'keepalived'),
      mend: (host) => unit(cluster, host, 'start', 'keepalived'),
    });
  },
} satisfies Example as Example;
