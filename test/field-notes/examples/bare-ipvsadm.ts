import type { Example } from '../example.ts';
import { everyServiceAnswers, rowOf } from '../proofs.ts';
import { untilRow } from '../vocabulary.ts';

export default {
  inventory: 'inventory/bare-ipvsadm.yaml',
  note: 'S4',
  proof: async (cluster) => {
    // Two to one, as the note sees it in its browser.
    await everyServiceAnswers(cluster, 60);
    for (const service of cluster.fleet.services) {
      for (const { host } of service.realServers) await untilRow(cluster, true, rowOf(service, host));
    }
  },
} satisfies Example as Example;
