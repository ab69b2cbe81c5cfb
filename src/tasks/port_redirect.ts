/** A port of an address that another port of this host answers: VIP:80 on a real server whose program listens on 4000. */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, type PlanContext } from '../task.ts';
import { bootUnitPath, bootUnitProbe, parseBootUnit, type SeenBootUnit } from './support/boot-unit.ts';
import { installedTool, type OwnTable, ownChainsChanges, ownChainsProbe, parseOwnChains, ruleModules } from './support/own-chains.ts';
import { familyOf, type PacketRule } from './support/packet-rule.ts';
import type { RuleChain } from './support/rule-chain.ts';

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

interface Seen {
  readonly unit: SeenBootUnit;
  readonly chains: readonly RuleChain[] | undefined;
}

const table: OwnTable = {
  table: 'lvsctl_redirect',
  own: 'type nat hook prerouting priority -100;',
  instead: 'nat',
  unit: 'lvsctl-port-redirect.service',
  description: 'Redirected ports of the LVS cluster',
};

export default defineTask<Want, Seen>({
  summary: 'Leads a port of an address to a local port, now and at every boot.',
  params,
  touches: () => ['firewall:redirects', ...ruleModules(table), `file:${bootUnitPath(table.unit)}`, `service:${table.unit}`],
  probe: () => lines(bootUnitProbe(table.unit), ownChainsProbe(table)),
  parse({ stdout }: Output): Seen {
    const unit = parseBootUnit(stdout, table.unit);
    return { unit, chains: parseOwnChains(unit.rest, table) };
  },
  plan: ({ unit, chains }, want, context: PlanContext): readonly Change[] =>
    ownChainsChanges(chains, want.tool, rulesOf(want), unit, table, context),
  settled: (want) => {
    const names = rulesOf(want).map(({ name }) => name);
    return names.length === 0 ? 'no ports are redirected by us, now and after a reboot' : `${names.join(', ')}: now and after a reboot`;
  },
  example: { rules: [{ address: '10.18.43.31', port: 80, protocol: 'tcp', to: 4000 }] },
});

function rulesOf({ rules }: Want): readonly PacketRule[] {
  const all = rules.map(({ address, port: from, protocol, to }): PacketRule => {
    const name = `redirect ${from}/${protocol} of ${address} to ${to}`;
    return { name, family: familyOf(address), hook: 'prerouting', to: address, protocol, port: from, verdict: { redirect: to } };
  });
  return [...new Map(all.map((each) => [each.name, each])).values()];
}
