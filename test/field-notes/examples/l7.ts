import type { Example } from '../example.ts';
import { eachDirectorLeaves, everySiteAnswers, failsOver, firstSite, urlOf } from '../proofs.ts';
import { ensure, killHard, unit, until, visit } from '../vocabulary.ts';

export default {
  inventory: 'inventory/l7.yaml',
  note: 'layer 7',
  proof: async (cluster) => {
    await everySiteAnswers(cluster);
    const site = firstSite(cluster);
    const url = urlOf(site);
    await unit(cluster, 'web1', 'stop', 'nginx');
    const counts = await visit(cluster, 'probe', url, { times: 6 });
    ensure('no request is lost while a backend is away', Object.keys(counts).join() === 'web2', counts);
    await unit(cluster, 'web1', 'start', 'nginx');
    await until('web1 serves again', async () => {
      const now = await visit(cluster, 'probe', url, { times: 6 });
      return now.web1 === undefined ? JSON.stringify(now) : undefined;
    });
    const nginx = {
      fail: (host: string) => killHard(cluster, host, 'nginx'),
      mend: (host: string) => unit(cluster, host, 'restart', 'nginx'),
    };
    await failsOver(cluster, site.vip, url, nginx);
    await eachDirectorLeaves(cluster, site.vip, url);
  },
} satisfies Example as Example;
