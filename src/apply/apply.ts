/** Runs a plan: batch after batch, the hosts of a batch side by side, each batch behind a gate. Stops when more hosts fail than may. */
import type { LimitFunction } from 'p-limit';
import type { Batch, CheckResult, HostPlan, Plan } from '../model.ts';
import { type AppliedHost, type ApplyOptions, applyHost, type HostOptions } from './apply-host.ts';
import { newBuilds } from './artefacts.ts';
import { newMeeting } from './meeting.ts';
import { newTurns } from './turns.ts';

export interface RolloutOptions extends ApplyOptions {
  /** So many hosts of a batch at once. */
  readonly limit: LimitFunction;
  /** A batch behind a barrier, looked at and planned again; `touched` are the hosts on which something has been done. */
  readonly again: (batch: Batch, touched: ReadonlySet<string>) => Promise<Batch>;
  /** What the play's gate finds of these hosts. */
  readonly gate: (batch: Batch) => Promise<readonly CheckResult[]>;
}

export interface Applied {
  readonly hosts: readonly AppliedHost[];
  /** The batches as they were run, those behind a barrier as they were planned in the end. */
  readonly batches: readonly Batch[];
  /** Names of the batches that were not begun because of a failure in an earlier one. */
  readonly stopped: readonly string[];
  /** What a gate found wrong. */
  readonly gates: readonly CheckResult[];
}

export async function apply(plan: Plan, options: RolloutOptions): Promise<Applied> {
  const common = { ...options, builds: newBuilds(options.store), turns: newTurns() };
  let applied: Applied = { hosts: [], batches: [], stopped: [], gates: [] };
  for (const host of busyIn(plan.batches)) options.emit({ kind: 'host', host, doing: 'waits for its turn' });
  for (const [number, planned] of plan.batches.entries()) {
    const batch = planned.phase > 0 ? await options.again(planned, touchedBy(applied)) : planned;
    const hosts = await applyBatch(without(batch, failedIn(applied)), number, common);
    const now = { ...applied, hosts: [...applied.hosts, ...hosts], batches: [...applied.batches, batch] };
    const gates = hosts.length > 0 && !isOver(now, batch) ? (await options.gate(batch)).filter(({ status }) => status === 'fail') : [];
    applied = { ...now, gates };
    const later = busyIn(plan.batches.slice(number + 1));
    for (const host of busyIn([batch])) options.emit({ kind: 'host', host, doing: later.has(host) ? 'waits for its turn' : '' });
    if (gates.length > 0 || isOver(now, batch)) return stoppedBefore(plan.batches.slice(number + 1), applied);
  }
  return applied;
}

function stoppedBefore(rest: readonly Batch[], applied: Applied): Applied {
  const stopped = rest.filter(({ hosts }) => hosts.some(hasWork)).map(({ name }) => name);
  return { ...applied, batches: [...applied.batches, ...rest], stopped };
}

type Common = Omit<HostOptions, 'meeting'> & Pick<RolloutOptions, 'limit'>;

function applyBatch(batch: Batch, number: number, common: Common): Promise<readonly AppliedHost[]> {
  const options = { ...common, meeting: newMeeting(batch.hosts) };
  common.builds.expect(batch);
  const refused = batch.hosts.filter(({ status }) => status === 'failed').map(({ host }) => ({ host, failed: true, changes: [] }));
  const ready = batch.hosts.filter((host) => host.status === 'planned' && hasWork(host));
  // Hosts that wait for each other must all be at work.
  const meets = ready.some(({ steps }) => steps.some(({ changes }) => changes.some(({ stage }) => stage)));
  const begin = (host: HostPlan) => applyHost(host, `${options.runId}-${number}`, options);
  return Promise.all([...refused, ...ready.map((host) => (meets ? begin(host) : common.limit(begin, host)))]);
}

function busyIn(batches: readonly Batch[]): ReadonlySet<string> {
  return new Set(batches.flatMap(({ hosts }) => hosts.filter(hasWork).map(({ host }) => host)));
}

function hasWork({ steps }: HostPlan): boolean {
  return steps.some(({ changes, status }) => changes.length > 0 && status !== 'standby');
}

/** A host that has failed is left as it is. */
function without(batch: Batch, failed: ReadonlySet<string>): Batch {
  return { ...batch, hosts: batch.hosts.filter(({ host }) => !failed.has(host)) };
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

/** More hosts of the batch's play have failed, or were never reached, than may. What is taken away is taken away only after all went well. */
function isOver({ hosts, batches }: Applied, { play, maxFail }: Batch): boolean {
  const inPlay = batches.filter((batch) => batch.play === play).flatMap((batch) => batch.hosts);
  const unreachable = inPlay.filter(({ status }) => status === 'unreachable').map(({ host }) => host);
  const failed = hosts.filter((host) => host.failed && inPlay.some((plan) => plan.host === host.host)).map(({ host }) => host);
  return new Set([...unreachable, ...failed]).size > maxFail;
}
