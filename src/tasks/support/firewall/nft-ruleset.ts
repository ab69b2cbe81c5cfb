/** What `nft -n -s list ruleset` shows: chains, which of them drop, and which of our rules they hold. */
import { ours } from './packet-rule.ts';
import type { NftChain } from './rule-chain.ts';

interface Parsed {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  /** Of a base chain: `filter`, `input`, `drop`. */
  readonly type: string;
  readonly hook: string;
  readonly policy: string;
  readonly rules: readonly string[];
}

const hooks = ['input', 'forward', 'output', 'prerouting'] as const;

/** Base chains through which packets go, with the drops that they lead to. Tables of others' programs are left to these. */
export function droppingNftChains(ruleset: string, others: readonly string[] = []): readonly NftChain[] {
  const chains = parseChains(ruleset).filter(({ family, table }) => !others.includes(`${family} ${table}`));
  return chains.flatMap((chain): readonly NftChain[] => {
    const { family, table, name, type, policy } = chain;
    const hook = hooks.find((each) => each === chain.hook);
    const known = family === 'ip' || family === 'ip6' || family === 'inet';
    if (!known || hook === undefined || hook === 'prerouting' || type !== 'filter') return [];
    if (policy !== 'drop' && !drops(chain, chains, [])) return [];
    return [{ kind: 'nft', family, table, chain: name, hook, names: namesOf(chain.rules) }];
  });
}

/** Names of our rules in one chain; nothing where there is no such chain. */
export function nftNames(ruleset: string, family: string, table: string, chain: string): readonly string[] {
  const found = parseChains(ruleset).find((each) => each.family === family && each.table === table && each.name === chain);
  return namesOf(found?.rules ?? []);
}

/** nft indents what is in a table by one tab, what is in a chain by two. */
function parseChains(ruleset: string): readonly Parsed[] {
  const chains: { -readonly [Key in keyof Parsed]: Key extends 'rules' ? string[] : Parsed[Key] }[] = [];
  let [family, table] = ['', ''];
  let inside = false;
  for (const line of ruleset.split('\n')) {
    const head = /^table (\w+) (\S+) \{/.exec(line);
    if (head) [, family = '', table = ''] = head;
    const name = /^\tchain (\S+) \{/.exec(line)?.[1];
    if (name !== undefined) chains.push({ family, table, name, type: '', hook: '', policy: '', rules: [] });
    if (/^\t\S/.test(line)) inside = name !== undefined;
    const chain = chains.at(-1);
    if (!inside || !chain || !line.startsWith('\t\t')) continue;
    const base = /^\t\ttype (\w+) hook (\w+)\b.*; policy (\w+);/.exec(line);
    if (base) [, chain.type = '', chain.hook = '', chain.policy = ''] = base;
    else chain.rules.push(line.trim());
  }
  return chains;
}

function namesOf(rules: readonly string[]): readonly string[] {
  return rules.flatMap((rule) => {
    const comment = /comment "([^"]*)"/.exec(rule)?.[1];
    return comment?.startsWith(ours) ? [comment.slice(ours.length)] : [];
  });
}

/** What drops certain senders, broken connections or too many packets is no reason to admit anything. */
const particular = /\bsaddr\b|\binvalid\b|\blimit\b|\bmeter\b|\bct count\b/;

function drops(chain: Parsed, all: readonly Parsed[], visited: readonly string[]): boolean {
  return chain.rules.some((rule) => {
    const words = rule.replace(/"[^"]*"/g, '');
    if (particular.test(words)) return false;
    if (/\b(drop|reject)\b/.test(words)) return true;
    const next = /\b(?:jump|goto) (\S+)/.exec(words)?.[1];
    if (next === undefined || visited.includes(next)) return false;
    const target = all.find(({ family, table, name }) => family === chain.family && table === chain.table && name === next);
    return target !== undefined && drops(target, all, [...visited, next]);
  });
}
