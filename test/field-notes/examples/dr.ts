import type { Example } from '../example.ts';
import { eachDirectorLeaves, reachesHolder, spreads, staysWithOne } from '../proofs.ts';
import { ensure, holders, untilRow } from '../vocabulary.ts';

const vip = '10.18.43.30';
const url = `http://${vip}/`;

export default {
  inventory: 'inventory/dr.yaml',
  note: 'S0',
  proof: async (cluster) => {
    const all = await holders(cluster, vip);
    ensure('the VIP on eth1 of one director', all.length === 1 && all[0]?.endsWith(' eth1') === true, all);
    await untilRow(cluster, true, `-A -t ${vip}:80 -s rr -p 50`);
    await staysWithOne(cluster, [url], 6);
    const from = cluster.fleet.hosts.find(({ name }) => name === 'probe')?.sources ?? [];
    await spreads(cluster, url, { web1: 8, web2: 8 }, { from });
    await reachesHolder(cluster, vip, url);
    await eachDirectorLeaves(cluster, vip, url);
  },
} satisfies Example as Example;
