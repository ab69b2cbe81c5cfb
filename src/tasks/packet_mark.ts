/** Firewall marks: packets to several ports of a VIP carry one number, so that one service of IPVS takes them all. */
import { z } from 'zod';
import { defineTask } from '../task.ts';
import { installedTool, type OwnTable, ownRules, type SeenOwnChains } from './support/firewall/own-chains.ts';
import { familyOf, type PacketRule } from './support/firewall/packet-rule.ts';

const address = z.union([z.ipv4(), z.ipv6()]);

const rule = z.strictObject({
  vip: address.describe('Virtual address that the packets go to.'),
  mark: z.number().int().min(1).max(0x7fffffff).describe('The number, as in `fwmark` of the service.'),
  ports: z
    .array(
      z.strictObject({
        port: z.number().int().min(1).max(65535).describe('Port.'),
        protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Transport protocol.'),
      }),
    )
    .min(1)
    .describe('Ports that are marked.'),
});

const params = z.strictObject({
  rules: z.array(rule).default([]).describe('Which packets carry which mark; all of ours on the host.'),
  state: z.enum(['present', 'absent']).default('present').describe('`absent` takes all of ours away.'),
  tool: installedTool,
});

type Want = z.infer<typeof params>;

/** Before IPVS looks at the packet, after the kernel knows the connection. */
const table: OwnTable = {
  table: 'lvsctl_mark',
  hook: 'prerouting',
  own: 'type filter hook prerouting priority -150;',
  instead: 'mangle',
  direct: true,
  modules: ['xt_mark'],
  unit: 'lvsctl-packet-mark.service',
  description: 'Firewall marks of the LVS cluster',
};

export default defineTask<Want, SeenOwnChains>({
  summary: 'Marks packets to ports of a VIP with a number, now and at every boot, for services of IPVS with a firewall mark.',
  params,
  ...ownRules<Want>({ table, kind: 'marks', rulesOf, none: 'no packets are marked by us' }),
  example: { rules: [{ vip: '10.18.43.30', mark: 1, ports: [{ port: 80, protocol: 'tcp' }] }], state: 'present' },
});

function rulesOf({ rules, state }: Want): readonly PacketRule[] {
  const all = rules.flatMap(({ vip, mark, ports }) =>
    ports.map(({ port, protocol }): PacketRule => {
      const name = `mark ${mark} for ${port}/${protocol} to ${vip}`;
      return { name, family: familyOf(vip), hook: 'prerouting', to: vip, protocol, port, verdict: { mark } };
    }),
  );
  return state === 'absent' ? [] : all;
}
