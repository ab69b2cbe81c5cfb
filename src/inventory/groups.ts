import { type Complaint, fault, formatValue, keyFault } from './complaints.ts';
import { hostEntries, sections } from './entries.ts';
import { matchPattern, type Names, unknownHint } from './match-pattern.ts';
import type { InventoryShape } from './schema.ts';

/** Group name → names of its hosts, in the order of the inventory. */
export type Groups = Readonly<Record<string, readonly string[]>>;

/** All groups with their hosts, and what is wrong with the user's own. A group may use those above it in the file. */
export function resolveGroups(shape: InventoryShape): { readonly groups: Groups; readonly complaints: readonly Complaint[] } {
  const entries = hostEntries(shape);
  const hosts = [...new Set(entries.map((entry) => entry.name))];
  const namesIn = (section: string) => entries.filter((entry) => entry.section === section).map((entry) => entry.name);
  const groups: Record<string, readonly string[]> = { all: hosts, ...Object.fromEntries(sections.map((name) => [name, namesIn(name)])) };
  const complaints: Complaint[] = [];
  for (const [name, { hosts: patterns }] of Object.entries(shape.groups ?? {})) {
    if (name === 'all' || sections.some((section) => section === name)) {
      complaints.push(...builtInFaults(name, patterns));
      continue;
    }
    const names = { hosts, groups: { ...groups } };
    complaints.push(...ownFaults(name, patterns ?? [], names));
    groups[name] = chooseHosts(patterns ?? [], names);
  }
  return { groups, complaints };
}

function chooseHosts(patterns: readonly string[], names: Names): readonly string[] {
  const chosen = new Set(patterns.flatMap((pattern) => matchPattern(pattern, names).hosts));
  return names.hosts.filter((host) => chosen.has(host));
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

function ownFaults(name: string, patterns: readonly string[], names: Names): readonly Complaint[] {
  const at = ['groups', name];
  if (names.hosts.includes(name)) {
    return [keyFault('duplicate-host', at, `the name "${name}" is taken: a host has it`, 'use another name: a pattern could mean either')];
  }
  const unknown = patterns.flatMap((pattern, index) => {
    return matchPattern(pattern, names).unknown.map((term) => {
      const found = `no host, and no group above this one, is called ${formatValue(term)}`;
      return fault('unknown-host', [...at, 'hosts', index], found, unknownHint(term, names));
    });
  });
  if (unknown.length > 0 || chooseHosts(patterns, names).length > 0) return unknown;
  return [keyFault('empty-group', at, `the group ${name} has no hosts`, 'say hosts: [PATTERN, …], or take the group away')];
}
