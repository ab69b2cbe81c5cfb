import type { Example } from '../example.ts';
import { eachDirectorLeaves, everySiteAnswers, failsOver, firstSite, urlOf } from '../proofs.ts';
import { ensure, exec, holderOf, killHard, unit } from '../vocabulary.ts';

export default {
  inventory: 'inventory/nginx-keepalived.yaml',
  note: 'S2',
  proof: async (cluster) => {
    await everySiteAnswers(cluster);
    const site = firstSite(cluster);
    const lines = await exec(cluster, await holderOf(cluster, site.vip), `wc -l <${site.accessLog}`);
    ensure('the site has an access log of its own', Number(lines) > 0, lines);
    await failsOver(cluster, site.vip, urlOf(site), {
      fail: (host) => killHard(cluster, host, 'nginx'),
      mend: (host) => unit(cluster, host, 'restart', 'nginx'),
    });
    await eachDirectorLeaves(cluster, site.vip, urlOf(site));
  },
} satisfies Example as Example;
