/** Runs a plan: batch after batch, the hosts of a batch side by side, each batch behind a gate. Stops when more hosts fail than may. */
import type { LimitFunction } from 'p-limit';
import type { Batch, CheckResult, Fleet, HostPlan, Plan } from '../model.ts';
import { peersOf } from '../plan/split.ts';
import { type AppliedHost, type ApplyOptions, applyHost, type HostOptions } from './apply-host.ts';
import { newBuilds } from './artefacts/artefacts.ts';
import type { Locks } from './lock/locks.ts';
import { newMeetings } from './meeting.ts';
import { newTurns } from './turns.ts';

export interface RolloutOptions extends ApplyOptions {
  readonly locks: Pick<Locks, 'check'>;
  readonly fleet: Fleet;
  /** So many hosts of a batch at once. */
  readonly limit: LimitFunction;
  /** A batch behind a barrier, looked at and planned again; `touched` are the hosts on which something has been done. */
  readonly again: (batch: Batch, touched: ReadonlySet<string>) => Promise<Batch>;
  /** What the play's gate finds of these hosts. */
  readonly gate: (play: number, hosts: ReadonlySet<string>) => Promise<readonly CheckResult[]>;
}

export interface Applied {
  readonly hosts: readonly AppliedHost[];
  /** The batches as they were run, those behind a barrier as they were planned in the end. */
  readonly batches: readonly Batch[];
  /** Names of the batches that were not begun because of a failure in an earlier one. */
  readonly stopped: readonly string[];
  /** What keeps a gate closed. */
  readonly gates: readonly CheckResult[];
  /** Somebody has asked it to stop; set by the flow. */
  readonly interrupted?: boolean;
}

export async function apply(plan: Plan, options: RolloutOptions): Promise<Applied> {
  const common = { ...options, builds: newBuilds(options.store), turns: newTurns() };
  let applied: Applied = { hosts: [], batches: [], stopped: [], gates: [] };
  for (const host of busyIn(plan.batches)) options.emit({ kind: 'host', host, doing: 'waits for its turn' });
  for (const [number, planned] of plan.batches.entries()) {
    const rest = plan.batches.slice(number + 1);
    if (options.stop?.aborted) return stoppedBefore([planned, ...rest], applied);
    // A host that still sends clients there must not find that what it sends them to is gone.
    if (planned.removals && !isWhole(applied)) return stoppedBefore([planned, ...rest], applied);
    const batch = planned.phase > 0 ? await options.again(planned, touchedBy(applied)) : planned;
    if (options.stop?.aborted) return stoppedBefore([planned, ...rest], applied);
    const hosts = await applyBatch(batch, number, failedIn(applied), common);
    const now = { ...applied, hosts: [...applied.hosts, ...hosts], batches: [...applied.batches, batch] };
    if (options.stop?.aborted) return stoppedBefore(rest, now);
    applied = { ...now, gates: isOver(now, batch) ? [] : await gateOf(batch, rest, now, options) };
    const later = busyIn(rest);
    for (const host of busyIn([batch])) options.emit({ kind: 'host', host, doing: later.has(host) ? 'waits for its turn' : '' });
    if (applied.gates.length > 0 || isOver(now, batch)) return stoppedBefore(rest, applied);
  }
  return applied;
}

function isWhole({ hosts, batches }: Applied): boolean {
  return !hosts.some(({ failed }) => failed) && !batches.some((batch) => batch.hosts.some(({ status }) => status === 'unreachable'));
}

function stoppedBefore(rest: readonly Batch[], applied: Applied): Applied {
  const stopped = rest.filter(({ hosts }) => hosts.some(hasWork)).map(({ name }) => name);
  return { ...applied, batches: [...applied.batches, ...rest], stopped };
}

/** Looked at when all phases of the batch's hosts have been done, if any of them was touched. A gate that cannot see does not open. */
async function gateOf(batch: Batch, rest: readonly Batch[], now: Applied, options: RolloutOptions): Promise<readonly CheckResult[]> {
  if (rest.some(({ play, name }) => play === batch.play && name === batch.name)) return [];
  const failed = failedIn(now);
  const hosts = new Set(batch.hosts.flatMap(({ host, status }) => (status === 'planned' && !failed.has(host) ? [host] : [])));
  const touched = touchedBy(now);
  if (![...hosts].some((host) => touched.has(host))) return [];
  return (await options.gate(batch.play, hosts)).filter(({ status }) => status !== 'pass');
}

type Common = Omit<HostOptions, 'meetings'> & Pick<RolloutOptions, 'limit' | 'fleet'>;

/** A host that has failed before is left as it is. */
async function applyBatch(batch: Batch, number: number, failed: ReadonlySet<string>, common: Common): Promise<readonly AppliedHost[]> {
  const { play } = batch;
  const here = batch.hosts.filter(({ host }) => !failed.has(host));
  const lonely = here.filter((host) => meets(host) && !peersOf(host.host, common.fleet).every((peer) => here.some(isPlanned(peer))));
  const refused = here.filter(({ status }) => status === 'failed').map(({ host }) => ({ host, play, failed: true, changes: [] }));
  const ready = here.filter((host) => host.status === 'planned' && hasWork(host) && !lonely.includes(host));
  common.builds.expect(ready);
  const options = { ...common, meetings: newMeetings(ready) };
  const begin = async (host: HostPlan) => ({ ...(await applyHost(host, number, options)), play });
  // Hosts that wait for each other must all be at work.
  const together = ready.some(meets);
  const done = await Promise.all(ready.map((host) => (together ? begin(host) : common.limit(begin, host))));
  return [...refused, ...lonely.map((host) => leftAlone(host, play)), ...done];
}

function meets({ steps }: HostPlan): boolean {
  return steps.some(({ changes }) => changes.some(({ stage }) => stage));
}

function isPlanned(name: string): (plan: HostPlan) => boolean {
  return ({ host, status }) => host === name && status === 'planned';
}

/** What must change on all hosts of its role together does not change on this one alone. */
function leftAlone({ host, steps }: HostPlan, play: number): AppliedHost {
  const changes = steps.flatMap(({ step, changes }) => changes.map((change) => ({ step, change })));
  const output = 'this must change on all hosts of its role together, and one of them has failed or is not in this batch';
  return {
    ...{ host, play, failed: true },
    changes: changes.map(({ step, change }) => {
      const failed = change.stage !== undefined;
      const outcome = { title: change.title, exit: -1, output: failed ? output : '', seconds: 0 };
      return { step: step.id, change: change.id, outcome: { ...outcome, result: failed ? 'failed' : 'not-run' } };
    }),
  };
}

function busyIn(batches: readonly Batch[]): ReadonlySet<string> {
  return new Set(batches.flatMap(({ hosts }) => hosts.filter(hasWork).map(({ host }) => host)));
}

function hasWork({ steps }: HostPlan): boolean {
  return steps.some(({ changes, status }) => changes.length > 0 && status !== 'standby');
}

function failedIn({ hosts }: Applied): ReadonlySet<string> {
  return new Set(hosts.filter(({ failed }) => failed).map(({ host }) => host));
}

/** Hosts on which something has been done, in somebody else's place too. */
function touchedBy({ hosts, batches }: Applied): ReadonlySet<string> {
  const busy = new Set(hosts.filter(({ changes }) => changes.some(({ outcome }) => outcome.result !== 'not-run')).map(({ host }) => host));
  const steps = batches.flatMap((batch) => batch.hosts.filter(({ host }) => busy.has(host)).flatMap((host) => host.steps));
  return new Set([...busy, ...steps.flatMap(({ step, changes }) => (step.on !== undefined && changes.length > 0 ? [step.on] : []))]);
}

/** More hosts of the batch's play have failed in it, or were never reached, than may. */
function isOver({ hosts, batches }: Applied, { play, maxFail }: Batch): boolean {
  const inPlay = batches.filter((batch) => batch.play === play).flatMap((batch) => batch.hosts);
  const unreachable = inPlay.filter(({ status }) => status === 'unreachable').map(({ host }) => host);
  const failed = hosts.filter((host) => host.failed && host.play === play).map(({ host }) => host);
  return new Set([...unreachable, ...failed]).size > maxFail;
}
