import type { Example } from '../example.ts';
import { everyServiceAnswers, firstService, losesAndRegains, rowOf, urlOf } from '../proofs.ts';
import { ensure, holders, reboot, unit, until, untilRow, visit } from '../vocabulary.ts';

export default {
  inventory: 'inventory/static.yaml',
  note: 'static director',
  proof: async (cluster) => {
    const service = firstService(cluster);
    const backends = service.realServers.map(({ host }) => host);
    await everyServiceAnswers(cluster);
    await losesAndRegains(cluster, service, 'web1', 'nginx');

    for (const host of backends) await unit(cluster, host, 'stop', 'nginx');
    for (const host of backends) await untilRow(cluster, false, rowOf(service, host));
    await until('the sorry page answers while all backends are away', async () => {
      const counts = await visit(cluster, 'probe', urlOf(service));
      const wrong = Object.keys(counts).filter((answer) => answer.startsWith('curl: ') || backends.includes(answer));
      return wrong.length === 0 ? undefined : wrong.join();
    });
    for (const host of backends) await unit(cluster, host, 'start', 'nginx');
    for (const host of backends) await untilRow(cluster, true, rowOf(service, host));

    await reboot(cluster, 'dr1');
    for (const vip of cluster.fleet.vips) {
      const there = await holders(cluster, vip);
      ensure(`${vip} is there after a reboot`, there.length === 1, there);
    }
    for (const host of backends) await untilRow(cluster, true, rowOf(service, host));
    await everyServiceAnswers(cluster);
  },
} satisfies Example as Example;
