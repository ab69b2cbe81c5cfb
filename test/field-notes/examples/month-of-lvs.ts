import type { Example } from '../example.ts';
import { eachDirectorLeaves, everyServiceAnswers, firstService, losesAndRegains, rowOf, urlOf } from '../proofs.ts';
import { ensure, exec, untilRow } from '../vocabulary.ts';

export default {
  inventory: 'inventory/month-of-lvs.yaml',
  note: 'S1',
  proof: async (cluster) => {
    // The second VIP goes to a port of its own on the real servers.
    await everyServiceAnswers(cluster);
    const service = firstService(cluster);
    const row = rowOf(service, 'iis1');
    const name = service.check.hostHeader ?? '';
    const site = await exec(cluster, 'iis1', `grep -rlsF 'server_name ${name};' /etc/nginx /usr/local/nginx/conf`);
    await untilRow(cluster, true, row);
    await exec(
      cluster,
      'iis1',
      `cp -a ${site} /root/kept && sed -i 's/server_name ${name};/server_name gone.invalid;/' ${site} && systemctl reload nginx`,
    );
    await untilRow(cluster, false, row);
    const page = await exec(cluster, 'iis1', `curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/`);
    ensure('the check by Host header takes out a server whose other pages answer', page === '200', page);
    await exec(cluster, 'iis1', `cp -a /root/kept ${site} && rm /root/kept && systemctl reload nginx`);
    await untilRow(cluster, true, row);
    await losesAndRegains(cluster, service, 'iis2', 'nginx');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
  },
} satisfies Example as Example;
