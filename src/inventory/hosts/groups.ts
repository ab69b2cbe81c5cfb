import { type Complaint, fault, keyFault } from '../complaints.ts';
import type { InventoryShape } from '../schema/inventory.ts';
import { hostEntries, sections } from './entries.ts';
import { type Nesting, nestingOf } from './group-nesting.ts';
import { explainTerm, matchPattern, type Names, termsOf } from './match-pattern.ts';

/** Group name → names of its hosts, in the order of the inventory. */
export type Groups = Readonly<Record<string, readonly string[]>>;

export interface ResolvedGroups {
  readonly groups: Groups;
  /** Names of the groups of which the inventory speaks; what a later one says of a host outranks what an earlier one says. */
  readonly precedence: readonly string[];
  readonly complaints: readonly Complaint[];
}

/** All groups with their hosts, and what is wrong with the user's own. A group may use any other, above or below it in the file. */
export function resolveGroups(shape: InventoryShape): ResolvedGroups {
  const entries = hostEntries(shape);
  const hosts = [...new Set(entries.map((entry) => entry.name))];
  const namesIn = (section: string) => entries.filter((entry) => entry.section === section).map((entry) => entry.name);
  const builtIn: Groups = { all: hosts, ...Object.fromEntries(sections.map((name) => [name, namesIn(name)])) };
  const said = Object.entries(shape.groups ?? {}).map(([name, { hosts: patterns }]) => ({ name, patterns }));
  const own = said.filter(({ name }) => !Object.hasOwn(builtIn, name));
  const nesting = nestingOf(own, Object.keys(builtIn));
  const resolved: Record<string, readonly string[]> = { ...builtIn };
  const complaints = said.flatMap(({ name, patterns }) => (Object.hasOwn(builtIn, name) ? builtInFaults(name, patterns) : []));
  for (const { name, patterns = [] } of nesting.order) {
    const names = { hosts, groups: { ...resolved } };
    complaints.push(...ownFaults(name, patterns, names, nesting));
    resolved[name] = chooseHosts(patterns, names);
  }
  const groups = { ...builtIn, ...Object.fromEntries(own.map(({ name }) => [name, resolved[name] ?? []])) };
  return { groups, precedence: nesting.precedence(said.map(({ name }) => name)), complaints };
}

/** What the patterns choose together; one that only takes away or narrows does so to all others. */
function chooseHosts(patterns: readonly string[], names: Names): readonly string[] {
  const narrowing = patterns.filter(onlySigned);
  const adding = patterns.filter((pattern) => !onlySigned(pattern));
  const chosen = new Set(adding.length === 0 ? names.hosts : adding.flatMap((pattern) => matchPattern(pattern, names).hosts));
  const left = narrowing.map((pattern) => new Set(matchPattern(pattern, names).hosts));
  return patterns.length === 0 ? [] : names.hosts.filter((host) => chosen.has(host) && left.every((set) => set.has(host)));
}

function onlySigned(pattern: string): boolean {
  return termsOf(pattern).every((term) => /^[!&]/.test(term));
}

/** `directors: { ssh: … }` under groups is right: it speaks of a group that is there anyway. */
function builtInFaults(name: string, patterns: readonly string[] | undefined): readonly Complaint[] {
  const at = ['groups', name];
  if (name === 'all')
    return [keyFault('reserved-name', at, 'the group all is there anyway', 'say ssh and vars of all hosts at the top of the file')];
  if (patterns === undefined) return [];
  return [
    keyFault('reserved-name', [...at, 'hosts'], `the hosts of ${name} are those under ${name}`, 'take hosts away, or use another name'),
  ];
}

function ownFaults(name: string, patterns: readonly string[], names: Names, { circles }: Nesting): readonly Complaint[] {
  const at = ['groups', name];
  if (names.hosts.includes(name)) {
    return [keyFault('duplicate-host', at, `the name "${name}" is taken: a host has it`, 'use another name: a pattern could mean either')];
  }
  const circle = circles.get(name);
  if (circle) {
    const hint = 'take one of these names out of the group that holds it';
    return [fault('group-circle', [...at, 'hosts', circle.index], `the group ${name} holds itself: ${circle.chain.join(' → ')}`, hint)];
  }
  const unknown = patterns.flatMap((pattern, index) =>
    matchPattern(pattern, names).unknown.map((term) => {
      const { found, hint } = explainTerm(term, names);
      return fault('unknown-host', [...at, 'hosts', index], found, hint);
    }),
  );
  const echo = [...circles.values()].some(({ chain }) => chain.includes(name));
  if (unknown.length > 0 || echo || chooseHosts(patterns, names).length > 0) return unknown;
  return [keyFault('empty-group', at, `the group ${name} has no hosts`, 'say hosts: [PATTERN, …], or take the group away')];
}
