/** Rules about instances that change hands together: what holds for one of a group must hold for all of it. */
import type { Host, VrrpInstance } from '../../model.ts';
import { type Complaint, fault, formatValue, keyFault, type Path } from '../complaints.ts';
import { didYouMean } from '../nearest.ts';
import { type Draft, lineOf } from './draft.ts';
import type { Said } from './vrrp.ts';

interface Group {
  readonly name: string;
  readonly members: readonly string[];
  readonly path: Path;
}

export function syncGroupFaults(all: readonly Said[], draft: Draft): readonly Complaint[] {
  const groups = Object.entries(draft.shape.vrrp?.sync_groups ?? {}).map(([name, members]) => ({
    name,
    members,
    path: ['vrrp', 'sync_groups', name],
  }));
  const known = all.map(({ name }) => name);
  return groups.flatMap((group, index) => [
    ...nameFaults(group, known),
    ...strayFaults(group, groups.slice(0, index), draft),
    ...(modeFault(group, draft) ?? orderFault(group, draft) ?? []),
  ]);
}

function nameFaults({ members, path }: Group, known: readonly string[]): readonly Complaint[] {
  return members.flatMap((name, index) => {
    const at = [...path, index];
    if (!known.includes(name)) {
      const hint = `${didYouMean(name, known)}instances: ${known.join(', ')}`;
      return [fault('unknown-instance', at, `no instance is called ${formatValue(name)}`, hint)];
    }
    return members.indexOf(name) === index ? [] : [fault('duplicate-instance', at, `${name} is listed twice`, 'once is enough')];
  });
}

/** keepalived leaves it in one of them. */
function strayFaults({ members, path }: Group, earlier: readonly Group[], draft: Draft): readonly Complaint[] {
  return members.flatMap((name, index) => {
    const first = earlier.find((group) => group.members.includes(name));
    if (!first) return [];
    const found = `${name} is in the group ${first.name} already ${lineOf(draft, first.path, true)}`;
    return [fault('duplicate-instance', [...path, index], found, 'an instance is in one group: make one group of the two')];
  });
}

/** One member would take its VIPs back and all others with it, which shall stay where they are. */
function modeFault(group: Group, draft: Draft): readonly Complaint[] | undefined {
  return difference(
    group,
    draft,
    ({ mode }) => mode,
    (one, other) => ({
      found: `${one.instance} of the group ${group.name} is ${one.mode}, and ${other.instance} is ${other.mode}`,
      hint: 'they change hands together: say one mode for all of them',
    }),
  );
}

/** Two members whose masters are two directors draw the group to and fro. A priority that is missing is complained of elsewhere. */
function orderFault(group: Group, draft: Draft): readonly Complaint[] | undefined {
  const directors = draft.fleet.hosts.filter(({ role }) => role === 'director');
  if (directors.some(({ priorities = {} }) => group.members.some((name) => priorities[name] === undefined))) return undefined;
  const order = ({ instance }: VrrpInstance) => orderOf(instance, directors).join(' before ');
  return difference(group, draft, order, (one, other) => ({
    found: `the group ${group.name} wants ${order(one)} in ${one.instance}, and ${order(other)} in ${other.instance}`,
    hint: 'they change hands together: give the directors priorities of the same order in all of them',
  }));
}

function difference(
  { members, path }: Group,
  { fleet }: Draft,
  key: (instance: VrrpInstance) => string,
  say: (one: VrrpInstance, other: VrrpInstance) => { readonly found: string; readonly hint: string },
): readonly Complaint[] | undefined {
  const [one, ...others] = (fleet.vrrp?.instances ?? []).filter(({ instance }) => members.includes(instance));
  const other = others.find((each) => one && key(each) !== key(one));
  if (!one || !other) return undefined;
  const { found, hint } = say(one, other);
  return [keyFault('group-apart', path, found, hint)];
}

function orderOf(instance: string, directors: readonly Host[]): readonly string[] {
  const rank = ({ priorities = {} }: Host) => priorities[instance] ?? 0;
  return [...directors].sort((one, other) => rank(other) - rank(one)).map(({ name }) => name);
}
