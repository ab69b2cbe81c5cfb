import type { Example } from '../example.ts';
import { everyServiceAnswers, losesAndRegains, rowOf, urlOf } from '../proofs.ts';
import { ensure, holders, reboot, unit, until, untilRow, visit } from '../vocabulary.ts';

export default {
  inventory: 'inventory/static.yaml',
  note: 'static director',
  proof: async (cluster) => {
    const [service] = cluster.fleet.services;
    if (!service) throw new Error('there is no service');
    const backends = service.realServers.map(({ host }) => host);
    await everyServiceAnswers(cluster);
    await losesAndRegains(cluster, service, 'web1', 'nginx');

    if (service.sorryServer) {
      for (const host of backends) await unit(cluster, host, 'stop', 'nginx');
      for (const host of backends) await untilRow(cluster, false, rowOf(service, host));
      await until('the sorry page answers while all backends are away', async () => {
        const counts = await visit(cluster, 'probe', urlOf(service));
        const strange = Object.keys(counts).filter((answer) => answer.startsWith('curl: ') || backends.includes(answer));
        return strange.length === 0 ? undefined : strange.join(', ');
      });
      for (const host of backends) await unit(cluster, host, 'start', 'nginx');
      for (const host of backends) await untilRow(cluster, true, rowOf(service, host));
    }

    await reboot(cluster, 'dr1');
    ensure('the VIP is there after a reboot', (await holders(cluster, service.vip)).length === 1, await holders(cluster, service.vip));
    for (const host of backends) await untilRow(cluster, true, rowOf(service, host));
    await everyServiceAnswers(cluster);
  },
} satisfies Example as Example;
