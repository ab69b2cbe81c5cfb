import type { Cluster } from '../cluster.ts';
import type { Example } from '../example.ts';
import { eachDirectorLeaves, everyServiceAnswers, firstService, losesAndRegains, rowOf, urlOf } from '../proofs.ts';
import { ensure, exec, untilRow } from '../vocabulary.ts';

export default {
  inventory: 'inventory/month-of-lvs.yaml',
  note: 'S1',
  proof: async (cluster) => {
    // The second VIP goes to a port of its own on the real servers.
    await everyServiceAnswers(cluster);
    for (const { name } of cluster.fleet.hosts.filter(({ role }) => role === 'director')) await isBuiltAndTuned(cluster, name);
    const service = firstService(cluster);
    // The second service is asked by the post's script.
    const rows = cluster.fleet.services.map((each) => rowOf(each, 'iis1'));
    const name = service.check.hostHeader ?? '';
    // One of the two folders is not there.
    const site = await exec(cluster, 'iis1', `grep -rlsF 'server_name ${name};' /etc/nginx /usr/local/nginx/conf || :`);
    for (const row of rows) await untilRow(cluster, true, row);
    await exec(
      cluster,
      'iis1',
      `cp -a ${site} /root/kept && sed -i 's/server_name ${name};/server_name gone.invalid;/' ${site} && systemctl reload nginx`,
    );
    for (const row of rows) await untilRow(cluster, false, row);
    const page = await exec(cluster, 'iis1', `curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/`);
    ensure('the checks by Host header take out a server whose other pages answer', page === '200', page);
    await exec(cluster, 'iis1', `cp -a /root/kept ${site} && rm /root/kept && systemctl reload nginx`);
    for (const row of rows) await untilRow(cluster, true, row);
    await losesAndRegains(cluster, service, 'iis2', 'nginx');
    await eachDirectorLeaves(cluster, service.vip, urlOf(service));
  },
} satisfies Example as Example;

/** A table of 2^19 would be more than half of a lab machine's memory: this is as many as the kernel then lets it have, 2^12 unless asked. */
const smallest = 2 ** 16;

/** What runs is what was built, the table is large as the post rebuilt its kernel for it, and the kernel is tuned. */
async function isBuiltAndTuned(cluster: Cluster, director: string): Promise<void> {
  const { prefix, version } = cluster.fleet.keepalivedSource ?? {};
  const look = `program=$(readlink -f "/proc/$(systemctl show --property=MainPID --value keepalived)/exe")
echo "$program $("$program" -v 2>&1 | sed -n 's/^Keepalived v\\([0-9.]*\\).*/\\1/p')"
sysctl -n net.core.netdev_budget
cat /etc/modprobe.d/*.conf | grep '^options ip_vs '
sed -n '1s/.*size=\\([0-9]*\\).*/\\1/p' /proc/net/ip_vs`;
  const [program, budget, option, size] = (await exec(cluster, director, look)).split('\n');
  const bits = cluster.fleet.system.connTabBits;
  ensure(`${director} runs the keepalived that was built`, program === `${prefix}/sbin/keepalived ${version}`, program);
  ensure(`${director} is tuned`, budget === '600', budget);
  ensure(`${director} has a large table`, option === `options ip_vs conn_tab_bits=${bits}` && Number(size) >= smallest, { option, size });
}
