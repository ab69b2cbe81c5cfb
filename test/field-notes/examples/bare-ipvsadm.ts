import type { Example } from '../example.ts';
import { everyServiceAnswers, firstService, losesAndRegains, rowOf } from '../proofs.ts';
import { reboot, untilRow } from '../vocabulary.ts';

export default {
  inventory: 'inventory/bare-ipvsadm.yaml',
  note: 'S4',
  proof: async (cluster) => {
    const service = firstService(cluster);
    await untilRow(cluster, true, `-A -t ${service.vip}:80 -s wlc`);
    // Two to one, which the note's browser hides behind connections that are kept.
    await everyServiceAnswers(cluster, { times: 60, fair: 0.8 });
    await losesAndRegains(cluster, service, 'rs2', 'nginx');
    await reboot(cluster, 'director');
    for (const { host } of service.realServers) await untilRow(cluster, true, rowOf(service, host));
    await everyServiceAnswers(cluster);
  },
} satisfies Example as Example;
