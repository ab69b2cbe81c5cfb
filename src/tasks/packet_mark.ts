/** Firewall marks: packets to several ports of a VIP carry one number, so that one service of IPVS takes them all. */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, type PlanContext } from '../task.ts';
import { bootUnitPath, bootUnitProbe, parseBootUnit, type SeenBootUnit } from './support/boot-unit.ts';
import { installedTool, type OwnTable, ownChainsChanges, ownChainsProbe, parseOwnChains, ruleModules } from './support/own-chains.ts';
import { familyOf, type PacketRule } from './support/packet-rule.ts';
import type { RuleChain } from './support/rule-chain.ts';

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

interface Seen {
  readonly unit: SeenBootUnit;
  readonly chains: readonly RuleChain[] | undefined;
}

/** Before IPVS looks at the packet, after the kernel knows the connection. */
const table: OwnTable = {
  table: 'lvsctl_mark',
  own: 'type filter hook prerouting priority -150;',
  instead: 'mangle',
  unit: 'lvsctl-packet-mark.service',
  description: 'Firewall marks of the LVS cluster',
};

export default defineTask<Want, Seen>({
  summary: 'Marks packets to ports of a VIP with a number, now and at every boot, for services of IPVS with a firewall mark.',
  params,
  touches: () => ['firewall:marks', ...ruleModules(table), `file:${bootUnitPath(table.unit)}`, `service:${table.unit}`],
  probe: () => lines(bootUnitProbe(table.unit), ownChainsProbe(table)),
  parse({ stdout }: Output): Seen {
    const unit = parseBootUnit(stdout, table.unit);
    return { unit, chains: parseOwnChains(unit.rest, table) };
  },
  plan: ({ unit, chains }, want, context: PlanContext): readonly Change[] =>
    ownChainsChanges(chains, want.tool, rulesOf(want), unit, table, context),
  settled: (want) => {
    const names = rulesOf(want).map(({ name }) => name);
    return names.length === 0 ? 'no packets are marked by us, now and after a reboot' : `${names.join(', ')}: now and after a reboot`;
  },
  example: { rules: [{ vip: '10.18.43.30', mark: 1, ports: [{ port: 80, protocol: 'tcp' }] }], state: 'present' },
});

function rulesOf({ rules, state }: Want): readonly PacketRule[] {
  const all = rules.flatMap(({ vip, mark, ports }) =>
    ports.map(({ port, protocol }): PacketRule => {
      const name = `mark ${mark} for ${port}/${protocol} to ${vip}`;
      return { name, family: familyOf(vip), hook: 'prerouting', to: vip, protocol, port, verdict: { mark } };
    }),
  );
  return state === 'absent' ? [] : [...new Map(all.map((each) => [each.name, each])).values()];
}
