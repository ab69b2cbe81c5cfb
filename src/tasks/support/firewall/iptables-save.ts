/** What `iptables-save` shows: which built-in chains of the table filter drop, and which of our rules the chains hold. */
import { ours, type PacketRule } from './packet-rule.ts';
import type { IptablesChain, Tool } from './rule-chain.ts';

/** Table → chain → policy (`-` for chains of users) and rules without `-A CHAIN`. */
export type Saved = ReadonlyMap<string, ReadonlyMap<string, { readonly policy: string; readonly rules: readonly string[] }>>;

export function parseSave(text: string): Saved {
  const tables = new Map<string, Map<string, { policy: string; rules: string[] }>>();
  let chains: Map<string, { policy: string; rules: string[] }> | undefined;
  for (const line of text.split('\n')) {
    const table = /^\*(\w+)$/.exec(line)?.[1];
    if (table !== undefined) {
      chains = new Map();
      tables.set(table, chains);
    }
    const [, name, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (name !== undefined && policy !== undefined) chains?.set(name, { policy, rules: [] });
    const [, chain = '', rule] = /^-A (\S+) (.*)$/.exec(line) ?? [];
    if (rule !== undefined) chains?.get(chain)?.rules.push(rule);
  }
  return tables;
}

/** Names of our rules in one chain. */
export function savedNames(saved: Saved, table: string, chain: string): readonly string[] {
  return (saved.get(table)?.get(chain)?.rules ?? []).flatMap((rule) => {
    const comment = /--comment "([^"]*)"/.exec(rule)?.[1];
    return comment?.startsWith(ours) ? [comment.slice(ours.length)] : [];
  });
}

const builtIn = { INPUT: 'input', FORWARD: 'forward', OUTPUT: 'output' } as const satisfies Readonly<Record<string, PacketRule['hook']>>;

/** Where to put rules so that they come before what drops. `inUfw`: the chain that ufw keeps for this. */
export function droppingIptablesChains(saved: Saved, tool: Tool, inUfw: boolean): readonly IptablesChain[] {
  const family = tool.startsWith('ip6') ? 'ip6' : 'ip';
  return Object.entries(builtIn).flatMap(([name, hook]): readonly IptablesChain[] => {
    if (!drops(saved, name, [])) return [];
    const ufw = `${family === 'ip6' ? 'ufw6' : 'ufw'}-before-${hook}`;
    const chain = inUfw && saved.get('filter')?.has(ufw) ? ufw : name;
    return [{ kind: 'iptables', tool, family, table: 'filter', chain, hook, names: savedNames(saved, 'filter', chain) }];
  });
}

/** As with nft: drops of certain senders, broken connections or too many packets do not count. */
const particular = /(^| )(-s |--src-range )|INVALID|-m (set|recent|limit|hashlimit|connlimit|rt) /;

function drops(saved: Saved, name: string, visited: readonly string[]): boolean {
  const chain = saved.get('filter')?.get(name);
  if (!chain) return false;
  if (chain.policy === 'DROP') return true;
  return chain.rules.some((rule) => {
    if (particular.test(rule)) return false;
    const target = /(?:^| )-[jg] (\S+)/.exec(rule)?.[1] ?? '';
    if (target === 'DROP' || target === 'REJECT') return true;
    return !visited.includes(target) && drops(saved, target, [...visited, target]);
  });
}
