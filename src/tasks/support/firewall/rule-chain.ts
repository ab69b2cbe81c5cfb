/** A chain of nft or iptables with rules of ours, told by their comments: what is missing there, what is stale, and how to be without. */
import { type Change, lines, type Sh, sh } from '../../../task.ts';
import { unitCommand } from '../systemd/boot-unit.ts';
import { commentOf, iptablesWords, nftWords, type PacketRule } from './packet-rule.ts';

export type Tool = 'iptables' | 'ip6tables' | 'iptables-legacy' | 'ip6tables-legacy';

interface Common {
  readonly table: string;
  readonly chain: string;
  readonly hook: PacketRule['hook'];
  /** Names of our rules in it. */
  readonly names: readonly string[];
}

export interface NftChain extends Common {
  readonly kind: 'nft';
  readonly family: 'ip' | 'ip6' | 'inet';
  /** The table is ours alone, and made where it is missing: words after `{` of the chain, `type filter hook …`. */
  readonly own?: string;
}

export interface IptablesChain extends Common {
  readonly kind: 'iptables';
  readonly family: 'ip' | 'ip6';
  readonly tool: Tool;
}

export type RuleChain = NftChain | IptablesChain;

/** `inet filter input`, `iptables INPUT`. */
export function labelOf(chain: RuleChain): string {
  if (chain.kind === 'nft') return `${chain.family} ${chain.table} ${chain.chain}`;
  return `${chain.tool} ${chain.table === 'filter' ? '' : `-t ${chain.table} `}${chain.chain}`;
}

/** Those of the rules that belong into the chain. */
export function rulesFor(chain: RuleChain, rules: readonly PacketRule[]): readonly PacketRule[] {
  return rules.filter(({ hook, family }) => hook === chain.hook && (chain.family === 'inet' || chain.family === family));
}

/** `live:CHAIN:NAME` for what is missing, `stale:CHAIN:NAME` for what is no longer wanted. */
export function chainChanges(chain: RuleChain, rules: readonly PacketRule[]): readonly Change[] {
  const wanted = rulesFor(chain, rules);
  const missing = wanted.filter(({ name }) => !chain.names.includes(name));
  const stale = [...new Set(chain.names)].filter((name) => !wanted.some((rule) => rule.name === name));
  return [...missing.map((rule) => insertChange(chain, rule)), ...stale.map((name) => removeChange(chain, name))];
}

/** Commands for a unit: each of our rules, and how to be without all of them again. */
export function chainCommands(
  chain: RuleChain,
  rules: readonly PacketRule[],
): { readonly start: readonly string[]; readonly stop: readonly string[] } {
  const wanted = rulesFor(chain, rules);
  if (wanted.length === 0) return { start: [], stop: [] };
  const own = chain.kind === 'nft' && chain.own !== undefined;
  return {
    start: wanted.map((rule) => unitCommand(insert(chain, rule))),
    stop: own
      ? [unitCommand(sh`nft delete table ${chain.family} ${chain.table}`)]
      : wanted.map(({ name }) => unitCommand(remove(chain, name))),
  };
}

function insertChange(chain: RuleChain, rule: PacketRule): Change {
  const words = chain.kind === 'nft' ? nftWords(rule, chain.family === 'inet') : iptablesWords(rule);
  return {
    id: `live:${labelOf(chain)}:${rule.name}`,
    title: `${titles(rule)} in ${labelOf(chain)}, now`,
    was: '',
    will: `${words.join(' ')}\n`,
    run: insert(chain, rule),
    risk: 'lockout',
  };
}

function titles({ name, verdict }: PacketRule): string {
  if (verdict === 'accept') return `admit ${name}`;
  if (verdict === 'notrack') return `let ${name.replace(/^untracked /, '')} pass untracked`;
  return name;
}

function removeChange(chain: RuleChain, name: string): Change {
  return {
    id: `stale:${labelOf(chain)}:${name}`,
    title: `take ${name} out of ${labelOf(chain)}: it is no longer wanted`,
    was: `${name}\n`,
    will: '',
    run: remove(chain, name),
    risk: 'lockout',
    takesAway: true,
  };
}

/** At the top: what comes before it could drop the packet. Safe to repeat; nft knows no other way to ask than by the comment. */
function insert(chain: RuleChain, rule: PacketRule): Sh {
  if (chain.kind === 'iptables') {
    const words = iptablesWords(rule);
    const { tool, table, chain: name } = chain;
    return sh`${tool} -w -t ${table} -C ${name} ${words} 2>/dev/null || ${tool} -w -t ${table} -I ${name} ${words}`;
  }
  const place = [chain.family, chain.table, chain.chain];
  const make = `add table ${chain.family} ${chain.table}; add chain ${place.join(' ')} { ${chain.own} }`;
  const both = chain.family === 'inet';
  return lines(
    chain.own !== undefined && sh`nft ${make} &&`,
    sh`{ nft list chain ${place} | grep -qF -- ${quoted(rule.name)} || nft insert rule ${place} ${nftWords(rule, both)}; }`,
  );
}

function remove(chain: RuleChain, name: string): Sh {
  if (chain.kind === 'nft') {
    const place = [chain.family, chain.table, chain.chain];
    return sh`nft -a list chain ${place} | grep -F -- ${quoted(name)} | sed 's/.*# handle //' | while read -r handle; do
  nft delete rule ${place} handle "$handle" || exit 1
done`;
  }
  // xargs takes the words apart as iptables has put them together; nothing of them is shell.
  const { tool, table, chain: place } = chain;
  return sh`${tool} -w -t ${table} -S ${place} | grep -F -- ${quoted(name)} | sed 's/^-A /-D /' | while read -r rule; do
  printf '%s\n' "$rule" | xargs ${tool} -w -t ${table} || exit 1
done`;
}

function quoted(name: string): string {
  return `"${commentOf(name)}"`;
}
