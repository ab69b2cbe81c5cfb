import type { Example } from '../example.ts';
import { eachDirectorLeaves, everyServiceAnswers, losesAndRegains, rowOf, urlOf } from '../proofs.ts';
import { ensure, exec, untilRow } from '../vocabulary.ts';

export default {
  inventory: 'inventory/month-of-lvs.yaml',
  note: 'S1',
  proof: async (cluster) => {
    await everyServiceAnswers(cluster);
    const service = cluster.fleet.services.find(({ check }) => check.hostHeader !== undefined);
    if (!service) throw new Error('no service of the inventory is checked by a host header');
    const { hostHeader } = service.check;
    const site = `grep -rlsF 'server_name ${hostHeader};' /etc/nginx /usr/local/nginx/conf`;
    const file = (await exec(cluster, 'web1', site)).split('\n')[0] ?? '';
    const row = rowOf(service, 'web1');
    await untilRow(cluster, true, row);
    await exec(
      cluster,
      'web1',
      `cp -a ${file} /root/kept && sed -i 's/server_name ${hostHeader};/server_name gone.invalid;/' ${file} && systemctl reload nginx`,
    );
    await untilRow(cluster, false, row);
    ensure(
      'web1 still answers without that name',
      (await exec(cluster, 'web1', 'curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1/')) === '200',
      '',
    );
    await exec(cluster, 'web1', `cp -a /root/kept ${file} && rm /root/kept && systemctl reload nginx`);
    await untilRow(cluster, true, row);
    await losesAndRegains(cluster, service, 'web2', 'nginx');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
  },
} satisfies Example as Example;
