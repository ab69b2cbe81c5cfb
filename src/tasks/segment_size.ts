/**
 * Real servers behind a tunnel ask clients for shorter segments. The director adds a header to each packet and cannot cut it: what fills
 * the MTU already is dropped there, or the client told of a smaller MTU, which many firewalls keep from it. The rule is on packets and not
 * on a route, because the way back is the host's own and may change; it never makes a segment longer.
 */
import { z } from 'zod';
import { defineTask } from '../task.ts';
import { installedTool, type OwnTable, ownRules, type SeenOwnChains } from './support/firewall/own-chains.ts';
import { familyOf, type PacketRule } from './support/firewall/packet-rule.ts';
import { mtuOf, mtuProbe, segmentsWithin } from './support/firewall/segment-sizes.ts';

const address = z.union([z.ipv4(), z.ipv6()]);

const rule = z
  .strictObject({
    address: address.describe('Address that clients connect to, such as a VIP on tunl0.'),
    rip: address.describe("The host's own address at which the tunnel ends: the MTU is that of its card."),
  })
  .refine((each) => familyOf(each.address) === familyOf(each.rip), 'one family of addresses');

const params = z.strictObject({
  rules: z.array(rule).default([]).describe('All of ours on the host; none: those that there were are taken away.'),
  tool: installedTool,
});

type Want = z.infer<typeof params>;

const table: OwnTable = {
  table: 'lvsctl_segments',
  hook: 'output',
  own: 'type filter hook output priority -150;',
  test: 'tcp option maxseg size set 1440',
  instead: 'mangle',
  modules: ['xt_TCPMSS'],
  unit: 'lvsctl-segment-size.service',
  description: 'Segments that fit into the tunnel of the LVS cluster',
};

export default defineTask<Want, SeenOwnChains>({
  summary: 'Asks clients for segments that fit into the tunnel by which their packets arrive, now and at every boot.',
  params,
  ...ownRules<Want>({
    table,
    kind: 'segments',
    look: ({ rules }) => mtuProbe(rules.map(({ rip }) => rip)),
    rulesOf,
    none: 'no segments are limited by us',
  }),
  example: { rules: [{ address: '10.18.43.30', rip: '10.20.0.13' }] },
});

function rulesOf({ rules }: Want, heard: string): readonly PacketRule[] {
  return rules.map(({ address: from, rip }): PacketRule => {
    const segments = segmentsWithin(mtuOf(rip, heard), from);
    return {
      name: `segments of ${segments} from ${from}`,
      family: familyOf(from),
      hook: 'output',
      from,
      protocol: 'tcp',
      verdict: { segments },
    };
  });
}
