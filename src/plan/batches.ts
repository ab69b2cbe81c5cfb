/** How the hosts of a play are worked on: which side by side, which one after another, and what comes last. */
import type { Batch, Change, Fleet, HostPlan, Seen, Share, StepPlan } from '../model.ts';
import type { BoundPlay } from '../playbook/bind.ts';
import { peersOf, refuseLonelySplits } from './split.ts';

export interface PlayPlan {
  readonly fleet: Fleet;
  readonly play: BoundPlay;
  readonly number: number;
  /** A plan for each phase of each host. */
  readonly hosts: readonly (readonly HostPlan[])[];
  readonly seen: Readonly<Record<string, Seen>>;
  readonly serial?: Share | undefined;
  readonly maxFail?: Share | undefined;
}

type Phases = readonly HostPlan[];

/** For each group of hosts its phases, one after another. */
export function batchesOf(plan: PlayPlan): readonly Batch[] {
  const { play, number, hosts } = plan;
  const checked = refuseLonelySplits(hosts, plan.fleet);
  const groups = groupsOf(checked, plan);
  const maxFail = countOf(plan.maxFail ?? play.maxFail ?? { hosts: 0 }, hosts.length, Math.floor);
  return groups.flatMap((group) => {
    const phases = [...new Set(group.flatMap((each) => each.map(phaseOf)))].sort((a, b) => a - b);
    const name = groups.length > 1 ? `${play.name} (${namesOf(group)})` : play.name;
    return phases.map(
      (phase): Batch => ({
        name,
        play: number,
        phase,
        hosts: group.flatMap((each) => each.filter((one) => phaseOf(one) === phase)),
        maxFail,
      }),
    );
  });
}

/** Hosts that need something, in groups as `serial` says; those that need nothing are in nobody's way and go with the first. */
function groupsOf(hosts: readonly Phases[], plan: PlayPlan): readonly (readonly Phases[])[] {
  const splits = hosts.filter((phases) => phases.some((host) => changesOf(host).some(({ risk }) => risk === 'split')));
  const peers = new Set(splits.flatMap(([first]) => (first ? [first.host, ...peersOf(first.host, plan.fleet)] : [])));
  const together = hosts.filter(([first]) => peers.has(first?.host ?? ''));
  const rest = hosts.filter((phases) => !together.includes(phases));
  const busy = mastersLast(rest.filter(isBusy), plan);
  const groups = [...(together.length > 0 ? [together] : []), ...cut(busy, sizesOf(plan, hosts.length))];
  const [first = [], ...others] = groups;
  return [[...rest.filter((phases) => !isBusy(phases)), ...first].sort((a, b) => hosts.indexOf(a) - hosts.indexOf(b)), ...others];
}

/**
 * A director that holds a VIP is not touched before its peers have been, and are right. Where each holds some (active/active), the one
 * that holds fewer comes first: what it gives away is taken over by one that is not being worked on.
 */
function mastersLast(hosts: readonly Phases[], plan: PlayPlan): readonly Phases[] {
  const held = new Map(hosts.map((phases) => [phases, heldBy(phases[0]?.host ?? '', plan)]));
  return hosts.toSorted((one, other) => (held.get(one) ?? 0) - (held.get(other) ?? 0));
}

/** How many of the addresses that directors hold for others this one has; an address on lo is there for packets alone. */
function heldBy(name: string, { fleet, seen }: PlayPlan): number {
  const looked = seen[name];
  if (fleet.hosts.find((host) => host.name === name)?.role !== 'director' || !looked?.reached) return 0;
  const nics = Object.entries(looked.facts.interfaces).filter(([nic]) => nic !== 'lo');
  const addresses = new Set(nics.flatMap(([, nic]) => nic.addresses.map((address) => address.split('/')[0] ?? '')));
  return fleet.virtualAddresses.filter(({ address }) => addresses.has(address)).length;
}

function sizesOf({ serial, play }: PlayPlan, hosts: number): readonly number[] {
  const shares = serial ? [serial] : (play.serial ?? [{ percent: 100 }]);
  return shares.map((share) => Math.max(1, countOf(share, hosts, Math.floor)));
}

function countOf(share: Share, hosts: number, round: (value: number) => number): number {
  return 'hosts' in share ? share.hosts : round((share.percent * hosts) / 100);
}

/** The last size counts for all further groups. */
function cut<Item>(items: readonly Item[], [size = 1, ...sizes]: readonly number[]): readonly (readonly Item[])[] {
  if (items.length === 0) return [];
  return [items.slice(0, size), ...cut(items.slice(size), sizes.length > 0 ? sizes : [size])];
}

function isBusy(phases: Phases): boolean {
  return phases.some((host) => host.status !== 'planned' || host.steps.some(needsWork));
}

/** What is not known yet may be something, and what has to come about is waited for. */
export function needsWork({ changes, status, holds }: StepPlan): boolean {
  return (changes.length > 0 && status !== 'standby') || status === 'later' || holds === false;
}

function phaseOf({ steps }: HostPlan): number {
  return steps[0]?.step.phase ?? 0;
}

export function changesOf({ steps }: HostPlan): readonly Change[] {
  return steps.flatMap(({ changes }) => changes);
}

function namesOf(group: readonly Phases[]): string {
  const names = group.map(([first]) => first?.host ?? '');
  return names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}
