/** Firewalls other than firewalld: the chains of nft and iptables that drop, the rules that these need, and our unit that brings them back. */
import { type Change, type PlanContext, type Sh, sh } from '../../../task.ts';
import { type BootUnit, bootUnitChanges, bootUnitGone, type SeenBootUnit } from '../systemd/boot-unit.ts';
import { droppingIptablesChains, parseSave, type Saved, savedNames } from './iptables-save.ts';
import { droppingNftChains, nftNames } from './nft-ruleset.ts';
import type { PacketRule } from './packet-rule.ts';
import { chainChanges, chainCommands, type NftChain, type RuleChain, rulesFor, type Tool } from './rule-chain.ts';

export const firewallUnit = 'lvsctl-firewall.service';

/** Services that load a whole ruleset, and so take ours away. */
const loaders = ['nftables.service', 'netfilter-persistent.service', 'iptables.service', 'ip6tables.service', 'ufw.service'];

/**
 * At most six processes. iptables is asked only for tables that the kernel has: to ask for others would make them. Each line is
 * marked with the program that said it.
 */
export const chainsProbe: Sh = sh`if command -v nft >/dev/null; then nft -n -s list ruleset | sed 's/^/nft|/'; fi
for tool in iptables ip6tables; do
  command -v "$tool" >/dev/null || continue
  names=/proc/net/\${tool%tables}_tables_names
  case $("$tool" -V) in
    *nf_tables*)
      "$tool-save" | sed "s/^/$tool|/"
      ! grep -q . "$names" 2>/dev/null || ! command -v "$tool-legacy-save" >/dev/null || "$tool-legacy-save" | sed "s/^/$tool-legacy|/"
      ;;
    *) ! grep -q . "$names" 2>/dev/null || "$tool-save" | sed "s/^/$tool|/" ;;
  esac
done`;

/** Chains that drop, and where packets of half connections are let through untracked. */
export function parseChains(stdout: string, ufw: boolean): readonly RuleChain[] {
  const of = (word: string) =>
    stdout
      .split('\n')
      .filter((line) => line.startsWith(`${word}|`))
      .map((line) => line.slice(word.length + 1))
      .join('\n');
  const saves = (['iptables', 'ip6tables', 'iptables-legacy', 'ip6tables-legacy'] as const).map((tool) => ({
    tool,
    saved: parseSave(of(tool)),
  }));
  // What iptables shows of nft's tables it manages itself; the others in nft are for nft.
  const managed = saves.flatMap(({ tool, saved }) => [...saved.keys()].map((table) => `${tool.startsWith('ip6') ? 'ip6' : 'ip'} ${table}`));
  const ruleset = of('nft');
  const nft = droppingNftChains(ruleset, [
    ...managed,
    'inet firewalld',
    'ip firewalld',
    'ip6 firewalld',
    'ip keepalived',
    'ip6 keepalived',
  ]);
  const iptables = saves.map(({ tool, saved }) => ({ tool, saved, chains: droppingIptablesChains(saved, tool, ufw) }));
  return [
    ...nft,
    ...(nft.some(({ hook }) => hook === 'input') ? (['ip', 'ip6'] as const).map((family) => untrackedNft(ruleset, family)) : []),
    ...iptables.flatMap(({ tool, saved, chains }) => [
      ...chains,
      ...(chains.some(({ hook }) => hook === 'input') ? [untrackedIptables(tool, saved)] : []),
    ]),
  ];
}

function untrackedNft(ruleset: string, family: 'ip' | 'ip6'): NftChain {
  const place = { table: 'lvsctl_untracked', chain: 'prerouting' };
  const names = nftNames(ruleset, family, place.table, place.chain);
  return { kind: 'nft', family, ...place, hook: 'prerouting', own: 'type filter hook prerouting priority -300;', names };
}

function untrackedIptables(tool: Tool, saved: Saved): RuleChain {
  const family = tool.startsWith('ip6') ? 'ip6' : 'ip';
  const names = savedNames(saved, 'raw', 'PREROUTING');
  return { kind: 'iptables', tool, family, table: 'raw', chain: 'PREROUTING', hook: 'prerouting', names };
}

/** Runtime first, then our unit; `elsewhere`: chains whose rules another file brings back. */
export function firewallChanges(
  chains: readonly RuleChain[],
  rules: readonly PacketRule[],
  unit: SeenBootUnit,
  context: PlanContext,
  elsewhere: (chain: RuleChain) => boolean = () => false,
): readonly Change[] {
  const live = chains.flatMap((chain) => chainChanges(chain, rules));
  const kept = chains.filter((chain) => !elsewhere(chain) && rulesFor(chain, rules).length > 0);
  // Where no chain is seen, what the unit does may still be needed when the firewall is there again.
  const gone = chains.length === 0 ? [] : bootUnitGone(unit, firewallUnit);
  const persisted = kept.length === 0 ? gone : bootUnitChanges(unit, firewallBootUnit(kept, rules), context);
  return [...live, ...persisted.map((change) => ({ ...change, risk: 'lockout' as const }))];
}

export function firewallBootUnit(chains: readonly RuleChain[], rules: readonly PacketRule[]): BootUnit {
  const commands = chains.map((chain) => chainCommands(chain, rules));
  return {
    name: firewallUnit,
    description: 'What the LVS cluster needs of the firewall',
    after: [],
    before: ['network.target', 'keepalived.service'],
    follows: loaders,
    start: commands.flatMap(({ start }) => start),
    stop: commands.flatMap(({ stop }) => stop),
  };
}
