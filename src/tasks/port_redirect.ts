/** A port of an address that another port of this host answers: VIP:80 on a real server whose program listens on 4000. */
import { z } from 'zod';
import { defineTask } from '../task.ts';
import { installedTool, type OwnTable, ownRules, type SeenOwnChains } from './support/firewall/own-chains.ts';
import { familyOf, type PacketRule } from './support/firewall/packet-rule.ts';

const port = z.number().int().min(1).max(65535);

const rule = z.strictObject({
  address: z.union([z.ipv4(), z.ipv6()]).describe('Address that clients connect to, such as a VIP on lo.'),
  port: port.describe('Port that clients connect to.'),
  protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Transport protocol.'),
  to: port.describe('Local port that answers. The program must listen on all addresses: the packet goes to that of the NIC it came by.'),
});

const params = z.strictObject({
  rules: z.array(rule).default([]).describe('All redirections of ours on the host; none: those that there were are taken away.'),
  tool: installedTool,
});

type Want = z.infer<typeof params>;

const table: OwnTable = {
  table: 'lvsctl_redirect',
  hook: 'prerouting',
  own: 'type nat hook prerouting priority -100;',
  instead: 'nat',
  direct: true,
  modules: ['xt_REDIRECT', 'nft_redir', 'nft_chain_nat'],
  unit: 'lvsctl-port-redirect.service',
  description: 'Redirected ports of the LVS cluster',
};

export default defineTask<Want, SeenOwnChains>({
  summary: 'Leads a port of an address to a local port, now and at every boot.',
  params,
  ...ownRules<Want>({ table, kind: 'redirects', rulesOf, none: 'no ports are redirected by us' }),
  example: { rules: [{ address: '10.18.43.31', port: 80, protocol: 'tcp', to: 4000 }] },
});

function rulesOf({ rules }: Want): readonly PacketRule[] {
  return rules.map(({ address, port: from, protocol, to }): PacketRule => {
    const name = `redirect ${from}/${protocol} of ${address} to ${to}`;
    return { name, family: familyOf(address), hook: 'prerouting', to: address, protocol, port: from, verdict: { redirect: to } };
  });
}
