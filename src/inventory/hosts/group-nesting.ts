/** Groups within groups: in which order they can be resolved, and whose word counts more. */
import { plainName, termsOf } from './match-pattern.ts';

export interface SaidGroup {
  readonly name: string;
  readonly patterns: readonly string[] | undefined;
}

export interface Nesting {
  /** Every group after those that it uses. */
  readonly order: readonly SaidGroup[];
  /** Groups that hold themselves, with the pattern that closes the circle. */
  readonly circles: ReadonlyMap<string, { readonly index: number; readonly chain: readonly string[] }>;
  /** The names in rising precedence: a group outranks those that hold it; otherwise the order of the file counts. */
  readonly precedence: (names: readonly string[]) => readonly string[];
}

export function nestingOf(groups: readonly SaidGroup[], builtIn: readonly string[]): Nesting {
  const byName = new Map(groups.map((group) => [group.name, group]));
  const order: SaidGroup[] = [];
  const circles = new Map<string, { readonly index: number; readonly chain: readonly string[] }>();
  const visit = (group: SaidGroup, open: readonly string[]): void => {
    if (order.includes(group)) return;
    const chain = [...open, group.name];
    for (const [index, pattern] of (group.patterns ?? []).entries()) {
      for (const used of termsOf(pattern).flatMap((term) => byName.get(term.replace(/^[!&]\s*/, '')) ?? [])) {
        const known = chain.indexOf(used.name);
        if (known === -1) visit(used, chain);
        else circles.set(group.name, { index, chain: [...chain.slice(known), used.name] });
      }
    }
    if (!order.includes(group)) order.push(group);
  };
  for (const group of groups) visit(group, []);
  const depth = depths(order, [...builtIn, ...byName.keys()]);
  return { order, circles, precedence: (names) => [...names].sort((a, b) => (depth.get(a) ?? 0) - (depth.get(b) ?? 0)) };
}

/** How many groups lie around each, at most. A group that a pattern narrows or takes away from is not held. */
function depths(order: readonly SaidGroup[], names: readonly string[]): ReadonlyMap<string, number> {
  const depth = new Map(names.map((name) => [name, 0]));
  // Those that hold others come last in the order, so their depth is final before it is handed down.
  for (const { name, patterns = [] } of [...order].reverse()) {
    for (const held of patterns.filter((pattern) => termsOf(pattern).every(plainName)).flatMap(termsOf)) {
      const known = depth.get(held);
      if (known !== undefined && held !== name) depth.set(held, Math.max(known, (depth.get(name) ?? 0) + 1));
    }
  }
  return depth;
}
