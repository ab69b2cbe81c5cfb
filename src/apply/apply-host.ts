/** One host's part of a batch: its changes in order, in as few scripts as artefacts and other hosts allow. The handlers close the last. */
import { LvsError } from '../errors.ts';
import type { Event, HostPlan, Outcome } from '../model.ts';
import { newNonce } from '../sh/frame.ts';
import { awayAtMost, overLines } from '../transport/reopen.ts';
import type { Connection } from '../transport/transport.ts';
import type { Builds } from './artefacts/artefacts.ts';
import { collect, deliver } from './artefacts/deliver.ts';
import type { Store } from './artefacts/store.ts';
import { isRescued, isStopped } from './bundle/blocks.ts';
import type { Job } from './bundle/bundle.ts';
import { type Item, itemsOf } from './bundle/items.ts';
import { leaveMarks, owedFor, takeMarks, unneeded } from './bundle/marks.ts';
import { jobsOf, type Part, partsOf } from './bundle/parts.ts';
import type { BundleResult } from './bundle/run-bundle.ts';
import type { Locks } from './lock/locks.ts';
import type { Meetings } from './meeting.ts';
import { runAcrossReboots } from './reboot.ts';
import type { Turns } from './turns.ts';

export interface ApplyOptions {
  readonly runId: string;
  /** Versions of files stay, however many there are: this run puts some of them back. */
  readonly keepAll?: boolean | undefined;
  /** Open connections by host name; every host of the plan that is `planned` has one. */
  readonly connections: ReadonlyMap<string, Connection>;
  readonly store: Store;
  readonly resolve: (value: string) => string;
  /** Secret values to slots, in what a host says. */
  readonly conceal: (text: string) => string;
  readonly emit: (event: Event) => void;
  /** Aborted: each host finishes the step at work, and nothing else is begun. */
  readonly stop?: AbortSignal | undefined;
}

export interface AppliedChange {
  /** Step id and change id; a handler has its name and no step. */
  readonly step?: string;
  readonly change: string;
  readonly outcome: Outcome;
}

export interface AppliedHost {
  readonly host: string;
  /** Number of the play in which it was. */
  readonly play: number;
  readonly failed: boolean;
  readonly changes: readonly AppliedChange[];
}

export interface HostOptions extends ApplyOptions {
  readonly locks: Pick<Locks, 'check'>;
  readonly builds: Builds;
  readonly meetings: Meetings;
  readonly turns: Turns;
}

/** What came of an item, or, without one, of a handler. */
interface Done {
  readonly item?: Item | undefined;
  readonly outcome: Outcome;
}

/** What has come of a host's scripts so far. */
interface Progress {
  readonly done: readonly Done[];
  /** Frames that failed; `top` in it means that the host has failed. */
  readonly failed: readonly string[];
}

export async function applyHost(plan: HostPlan, batch: number, options: HostOptions): Promise<Omit<AppliedHost, 'play'>> {
  const items = itemsOf(plan);
  const parts = partsOf(plan, items, options.runId, batch);
  let progress: Progress = { done: [], failed: [] };
  for (const part of parts) {
    if (progress.failed.includes('top') || options.stop?.aborted) break;
    progress = await runPart(plan.host, part, progress, options);
  }
  const failed = progress.failed.includes('top');
  giveUp(plan.host, items, progress, options);
  return { host: plan.host, failed, changes: progress.done.flatMap((done) => judged(done, progress.failed)) };
}

async function runPart(host: string, part: Part, before: Progress, options: HostOptions): Promise<Progress> {
  const { script, id } = part;
  const name = script.on ?? host;
  const connection = options.connections.get(name);
  if (!connection) throw new Error(`no connection to ${name}`);
  const jobs = jobsOf(part, notifiedBy(before.done), options);
  if (jobs.length === 0) return before;
  try {
    const check = (): Promise<void> => options.locks.check(name);
    await check();
    const needed = script.items.filter(({ staging, placed }) => !staging && !isStopped(placed.frames, before.failed));
    for (const { change } of needed) await overLines(connection, awayAtMost, () => deliver(change, connection, options));
    if (options.stop?.aborted) return { ...before, done: [...before.done, ...unbegun(jobs, script.items)] };
    for (const { step, change } of script.together ? script.items : []) await options.meetings.arrive(host, step, change, check);
    const bundle = { id, nonce: newNonce(), jobs, failed: before.failed };
    // What is put in force on all hosts in the same instant is not stopped half-way.
    const following = { ...options, ...(script.together && { stop: undefined }), check };
    const marked = await leaveMarks(owedFor(needed, part.elsewhere), options.connections);
    // Others may have been before it for long.
    const run = async (): Promise<BundleResult> =>
      following.stop?.aborted
        ? { outcomes: unbegun(jobs, script.items).map(({ outcome }) => outcome), failed: before.failed }
        : runAcrossReboots(connection, bundle, following);
    const { outcomes, failed } = await options.turns(name, run);
    await takeMarks(unneeded(marked, script.items, { outcomes, failed }), options.connections);
    for (const [index, { change }] of script.items.entries()) {
      const made = isMade(outcomes[index]) ? change.produces?.key : undefined;
      if (made !== undefined) await overLines(connection, awayAtMost, () => collect(made, connection, options));
      else if (change.produces) options.builds.fail(change.produces.key, `${host} failed: ${change.title}`);
    }
    return { done: [...before.done, ...outcomes.map((outcome, index) => ({ item: script.items[index], outcome }))], failed };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // It has waited for another host, which is not to go on.
    if (options.stop?.aborted && !(error instanceof LvsError)) return { ...before, done: [...before.done, ...unbegun(jobs, script.items)] };
    const output = error instanceof LvsError && error.hint ? `${error.message}; ${error.hint}` : error.message;
    options.emit({ kind: 'end', host: name, title: jobs[0]?.title ?? '', result: 'failed', detail: output, seconds: 0 });
    const [first, ...others] = unbegun(jobs, script.items);
    const failed: readonly Done[] = first ? [{ ...first, outcome: { ...first.outcome, result: 'failed', exit: -1, output } }] : [];
    return { done: [...before.done, ...failed, ...others], failed: [...before.failed, 'top'] };
  }
}

function unbegun(jobs: readonly Job[], items: readonly Item[]): readonly Done[] {
  return jobs.map(({ title }, index) => ({ item: items[index], outcome: { title, result: 'not-run', exit: 0, output: '', seconds: 0 } }));
}

function notifiedBy(done: readonly Done[]): ReadonlySet<string> {
  return new Set(done.flatMap(({ item, outcome }) => (outcome.result === 'done' && !item?.staging ? (item?.change.notify ?? []) : [])));
}

/** A failure that a rescue has made good is called so; getting ready is part of its change, and worth a word only where it failed. */
function judged({ item, outcome }: Done, failed: readonly string[]): readonly AppliedChange[] {
  if (!item) return [{ change: outcome.title, outcome }];
  if (item.staging && outcome.result !== 'failed') return [];
  const rescued = outcome.result === 'failed' && isRescued(item.placed.frames, item.step.frames ?? [], failed);
  return [{ step: item.step.id, change: item.change.id, outcome: rescued ? { ...outcome, result: 'rescued' } : outcome }];
}

function isMade(outcome: Outcome | undefined): boolean {
  return outcome?.result === 'done' || outcome?.result === 'already';
}

/** Others that wait for what this host will not do any more are told. */
function giveUp(host: string, items: readonly Item[], { done }: Progress, { builds, meetings }: HostOptions): void {
  const built = new Set(done.filter(({ outcome }) => isMade(outcome)).map(({ item }) => item?.change));
  for (const { change } of items) {
    if (change.produces && !built.has(change)) builds.fail(change.produces.key, `${host} did not get to the end of: ${change.title}`);
  }
  meetings.leave(host, done.find(({ outcome }) => outcome.result === 'failed')?.outcome.title ?? 'a step failed');
}
