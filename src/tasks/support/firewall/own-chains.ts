/** Rules of ours that change packets, in a table of nft that is ours alone, or, where the host has no nft, of firewalld or iptables. */
import { z } from 'zod';
import { type Change, lines, type Output, type PlanContext, refuse, type Sh, sh } from '../../../task.ts';
import {
  type BootUnit,
  bootUnitChanges,
  bootUnitGone,
  bootUnitPath,
  bootUnitProbe,
  parseBootUnit,
  type SeenBootUnit,
  unitCommand,
} from '../systemd/boot-unit.ts';
import { firewalldBefore } from './firewalld-before.ts';
import { type DirectRules, directChanges, directProbe, directWords } from './firewalld-direct.ts';
import { parseSave, savedNames } from './iptables-save.ts';
import { nftNames } from './nft-ruleset.ts';
import type { PacketRule } from './packet-rule.ts';
import { chainChanges, chainCommands, type RuleChain } from './rule-chain.ts';

export interface OwnTable {
  /** Of nft. */
  readonly table: string;
  /** Name of its chain; of iptables it is the same in capitals. */
  readonly hook: 'prerouting' | 'output';
  /** Words of the chain. */
  readonly own: string;
  /** Words of a rule that the kernel must know too, for nft to be used. */
  readonly test?: string;
  /** Of iptables. */
  readonly instead: 'mangle' | 'nat';
  /** With iptables as its backend, firewalld keeps the rules as its own: for such before routing that the inventory alone decides. */
  readonly direct?: true;
  /** What the kernel loads for the rules themselves. */
  readonly modules: readonly string[];
  /** Unit that makes the rules at boot, and what it says of itself. */
  readonly unit: string;
  readonly description: string;
}

/** What a task that makes such rules has seen of a host. */
export interface SeenOwnChains {
  readonly unit: SeenBootUnit;
  /** Undefined where there is neither nft nor iptables. */
  readonly chains: readonly RuleChain[] | undefined;
  /** Of firewalld, where it runs and there is no nft. */
  readonly direct?: DirectRules;
  /** What the probe said. */
  readonly heard: string;
}

interface OwnRules<Want> {
  readonly table: OwnTable;
  /** Kind of firewall rule, for `touches`. */
  readonly kind: string;
  /** `heard` is what `look` and the rest of the probe said. */
  readonly rulesOf: (want: Want, heard: string) => readonly PacketRule[];
  /** What else must be seen of the host. */
  readonly look?: (want: Want) => Sh;
  /** Said where no rule is wanted. */
  readonly none: string;
}

/** What all tasks that make such rules have in common: all of a task's definition but its parameters. */
export function ownRules<Want extends { readonly rules: readonly unknown[]; readonly tool?: 'nft' | undefined }>({
  table,
  kind,
  rulesOf,
  look,
  none,
}: OwnRules<Want>) {
  // The same rule said twice is one.
  const wanted = (want: Want, { heard }: SeenOwnChains) => [...new Map(rulesOf(want, heard).map((rule) => [rule.name, rule])).values()];
  return {
    touches: () => [`firewall:${kind}`, ...ruleModules(table), `file:${bootUnitPath(table.unit)}`, `service:${table.unit}`],
    before: (want: Want) => {
      const rules = table.direct ? rulesOf(want, '') : [];
      return firewalldBefore({ rules: [], replies: [], direct: rules.map((rule) => ({ words: directWords(rule, table.instead) })) });
    },
    probe(want: Want): Sh {
      const chains = lines(look?.(want), ownChainsProbe(table));
      // A look alone makes the kernel load what rules need: where none is wanted, and none of ours can be, it is not taken.
      const there = sh`[ -e ${bootUnitPath(table.unit)} ] || [ -e /sys/module/nf_tables ] ||
  ! grep -qs '/nf_tables\\.ko' "/lib/modules/$(uname -r)/modules.dep" || grep -qs lvsctl /etc/firewalld/direct.xml`;
      return lines(bootUnitProbe(table.unit), want.rules.length > 0 ? chains : sh`if ${there}; then\n${chains}\nfi`);
    },
    parse({ stdout }: Output): SeenOwnChains {
      const unit = parseBootUnit(stdout, table.unit);
      return { unit, ...parseOwnChains(unit.rest, table), heard: unit.rest };
    },
    plan: (seen: SeenOwnChains, want: Want, context: PlanContext) =>
      ownChainsChanges(seen, wanted(want, seen), { table, tool: want.tool, context }),
    settled: (want: Want, seen: SeenOwnChains) => {
      const names = wanted(want, seen).map(({ name }) => name);
      return names.length === 0 ? `${none}, now and after a reboot` : `${names.join(', ')}: now and after a reboot`;
    },
  };
}

/** What the kernel loads for such rules, nft's and iptables'. */
function ruleModules({ instead, modules }: OwnTable): readonly string[] {
  const tables = [`iptable_${instead}`, `ip6table_${instead}`];
  return [...tables, ...modules, 'xt_comment', 'xt_tcpudp', 'nf_tables', 'bpfilter'].map((name) => `module:${name}`);
}

/** Each of ours brings its table back after those who load a whole ruleset. */
const loaders = ['nftables.service', 'netfilter-persistent.service', 'iptables.service', 'ip6tables.service', 'firewalld.service'];

/** Whether nft can do it in this kernel is asked without doing it (`-c`). */
function ownChainsProbe({ table, hook, own, test, instead }: OwnTable): Sh {
  const made = `add table ip ${table}; add chain ip ${table} ${hook} { ${own} }${test ? `; add rule ip ${table} ${hook} ${test}` : ''}`;
  return sh`if command -v nft >/dev/null && nft -c ${made} 2>/dev/null; then
  printf 'tool nft\n'
  for family in ip ip6; do nft -n -s list table "$family" ${table} 2>/dev/null | sed 's/^/nft|/'; done
else
${directProbe}
fi
for tool in iptables ip6tables; do
  command -v "$tool" >/dev/null || continue
  printf 'tool %s\n' "$tool"
  case $("$tool" -V) in
    *nf_tables*) ;;
    *) grep -qx ${instead} "/proc/net/\${tool%tables}_tables_names" 2>/dev/null || continue ;;
  esac
  "$tool-save" -t ${instead} | sed "s/^/$tool|/"
done`;
}

/** The chains of the tool that is used: nft where it works, else firewalld where it runs, else iptables; undefined where there is none. */
function parseOwnChains(stdout: string, wanted: OwnTable): Omit<SeenOwnChains, 'unit' | 'heard'> {
  const { instead, hook } = wanted;
  const chain = hook.toUpperCase();
  const said = stdout.split('\n');
  const linesOf = (word: string) => said.flatMap((line) => (line.startsWith(`${word}|`) ? [line.slice(word.length + 1)] : []));
  const of = (word: string) => linesOf(word).join('\n');
  if (said.includes('tool nft')) return { chains: nftChains(wanted, of('nft')) };
  if (wanted.direct && said.includes('tool firewalld'))
    return { chains: [], direct: { live: linesOf('live-direct'), persisted: linesOf('persisted-direct') } };
  const tools = (['iptables', 'ip6tables'] as const).filter((tool) => said.includes(`tool ${tool}`));
  if (tools.length === 0) return { chains: undefined };
  const chains = tools.map((tool): RuleChain => {
    const names = savedNames(parseSave(of(tool)), instead, chain);
    return { kind: 'iptables', tool, family: tool === 'iptables' ? 'ip' : 'ip6', table: instead, chain, hook, names };
  });
  return { chains };
}

function nftChains({ table, own, hook }: OwnTable, ruleset: string): readonly RuleChain[] {
  return (['ip', 'ip6'] as const).map((family) => ({
    kind: 'nft',
    family,
    table,
    chain: hook,
    hook,
    own,
    names: nftNames(ruleset, family, table, hook),
  }));
}

/** For tasks that make such rules: what is planned for where the host has no tool for them yet. */
export const installedTool = z
  .literal('nft')
  .optional()
  .describe(
    'An earlier step installs nft where the host has neither nft nor iptables yet: it is planned for. Unless said, that is refused.',
  );

/** None of the rules wanted: the unit goes, and its stop takes the rules with it. */
function ownChainsChanges(
  { unit, chains: found, direct }: SeenOwnChains,
  rules: readonly PacketRule[],
  { table, tool, context }: { readonly table: OwnTable; readonly tool: 'nft' | undefined; readonly context: PlanContext },
): readonly Change[] {
  // What the unit has done firewalld flushes; its stop takes away what is left of that.
  if (direct) return [...directChanges(direct, rules, table.instead), ...bootUnitGone(unit, table.unit)];
  const chains = found ?? (tool === 'nft' ? nftChains(table, '') : undefined);
  if (!chains && rules.length > 0)
    throw refuse('there is neither nft nor iptables to make rules with', 'install nftables in a step before, and say tool: nft');
  const live = (chains ?? []).flatMap((chain) => chainChanges(chain, rules));
  if (rules.length === 0) return [...live, ...bootUnitGone(unit, table.unit)];
  return [...live, ...bootUnitChanges(unit, unitOf(chains ?? [], rules, table), context)];
}

const firewalldAnswers = sh`command -v firewall-cmd >/dev/null && firewall-cmd --state`;

function unitOf(chains: readonly RuleChain[], rules: readonly PacketRule[], { unit, description }: OwnTable): BootUnit {
  const commands = chains.map((chain) => chainCommands(chain, rules));
  return {
    name: unit,
    description,
    after: [],
    before: ['network.target', 'keepalived.service'],
    follows: loaders,
    // That it is started firewalld says before it flushes; it answers afterwards.
    start: [
      ...(chains.some(({ kind }) => kind === 'iptables') ? [unitCommand(firewalldAnswers)] : []),
      ...commands.flatMap(({ start }) => start),
    ],
    stop: commands.flatMap(({ stop }) => stop),
  };
}
