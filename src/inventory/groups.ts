import type { Complaint } from './complaints.ts';
import { formatValue } from './complaints.ts';
import { hostEntries, sections } from './entries.ts';
import { matchPattern, type Names, unknownHint } from './match-pattern.ts';
import type { InventoryShape } from './schema.ts';

export type Groups = Readonly<Record<string, readonly string[]>>;

/** Names of all groups with their hosts, and what is wrong with the user's own. A group may use those above it. */
export function resolveGroups(shape: InventoryShape): { readonly groups: Groups; readonly complaints: readonly Complaint[] } {
  const entries = hostEntries(shape);
  const hosts = [...new Set(entries.map((entry) => entry.name))];
  const bySection = sections.map(
    (section) => [section, entries.filter((entry) => entry.section === section).map((entry) => entry.name)] as const,
  );
  const groups: Record<string, readonly string[]> = { all: hosts, ...Object.fromEntries(bySection) };
  const complaints: Complaint[] = [];
  for (const [name, group] of Object.entries(shape.groups ?? {})) {
    const builtIn = name === 'all' || sections.some((section) => section === name);
    complaints.push(
      ...(builtIn ? builtInComplaints(name, group.hosts !== undefined) : ownComplaints(name, group.hosts, { hosts, groups })),
    );
    if (!builtIn) groups[name] = chooseHosts(group.hosts ?? [], { hosts, groups });
  }
  return { groups, complaints };
}

function chooseHosts(patterns: readonly string[], names: Names): readonly string[] {
  const chosen = new Set(patterns.flatMap((pattern) => matchPattern(pattern, names).hosts));
  return names.hosts.filter((host) => chosen.has(host));
}

function builtInComplaints(name: string, saysHosts: boolean): readonly Complaint[] {
  const at = ['groups', name];
  if (name === 'all')
    return [
      {
        code: 'reserved-name',
        at,
        atKey: true,
        found: 'the group all is there already',
        hint: 'say ssh and vars for all hosts at the top of the file',
      },
    ];
  if (!saysHosts) return [];
  return [
    {
      code: 'reserved-name',
      at: [...at, 'hosts'],
      atKey: true,
      found: `the hosts of the group ${name} are those under ${name}`,
      hint: 'take hosts away, or use another name',
    },
  ];
}

function ownComplaints(name: string, patterns: readonly string[] | undefined, names: Names): readonly Complaint[] {
  const at = ['groups', name];
  if (names.hosts.includes(name))
    return [
      {
        code: 'duplicate-name',
        at,
        atKey: true,
        found: `"${name}" is a host too`,
        hint: 'use another name for the group: patterns could mean either',
      },
    ];
  const unknown = (patterns ?? []).flatMap((pattern, index) => matchPattern(pattern, names).unknown.map((term) => ({ term, index })));
  if (unknown.length > 0) {
    return unknown.map(({ term, index }) => {
      const found = `no host is called ${formatValue(term)}, and no group above ${name}`;
      return { code: 'unknown-host', at: [...at, 'hosts', index], found, hint: unknownHint(term, names) };
    });
  }
  if (chooseHosts(patterns ?? [], names).length > 0) return [];
  return [
    {
      code: 'empty-group',
      at,
      atKey: true,
      found: `the group ${name} has no hosts`,
      hint: 'say hosts: [PATTERN, …], or take the group away',
    },
  ];
}
