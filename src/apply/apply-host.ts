/** One host's part of a batch: its changes in order, in as few scripts as artefacts and other hosts allow. The handlers close the last. */
import { keeping } from '../before/before.ts';
import { LvsError } from '../errors.ts';
import type { Event, HandlerPlan, HostPlan, Outcome } from '../model.ts';
import { newNonce } from '../sh/frame.ts';
import { lines } from '../sh/sh.ts';
import { awayAtMost, overLines } from '../transport/reopen.ts';
import type { Connection } from '../transport/transport.ts';
import { keepingVersions } from '../versions/versions.ts';
import type { Builds } from './artefacts.ts';
import { isRescued, isStopped } from './blocks.ts';
import { handlerJob, type Job, jobOf } from './bundle.ts';
import { collect, deliver } from './deliver.ts';
import { cutIntoScripts, type Item, itemsOf, type Script } from './items.ts';
import type { Locks } from './locks.ts';
import { type Debt, leaveMarks, owedFor, takeMarks, unneeded } from './marks.ts';
import type { Meetings } from './meeting.ts';
import { runAcrossReboots } from './reboot.ts';
import type { Store } from './store.ts';
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

interface Part {
  readonly script: Script;
  readonly handlers: readonly HandlerPlan[];
  /** Names of all handlers of the host that run where this script does: what notifies one of them owes it. */
  readonly owes: ReadonlySet<string>;
  /** Those that run on another host: its script cannot leave word of them. */
  readonly elsewhere: readonly Debt[];
  readonly id: string;
  /** Number of the batch. */
  readonly batch: number;
  /** All handlers of the host that run where this script does, in their order. */
  readonly known: readonly HandlerPlan[];
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

/** Scripts with their handlers: those of a change that all hosts make together follow it at once, the others close the last script. */
function partsOf({ handlers, host }: HostPlan, items: readonly Item[], runId: string, batch: number): readonly Part[] {
  const scripts = cutIntoScripts(items);
  const run = `${runId}-${batch}`;
  const on = (place: string | undefined) => {
    const known = handlers.filter((handler) => handler.on === place);
    const others = handlers.filter((handler) => handler.on !== place);
    const elsewhere = others.map(({ name, on: there = host }) => ({ host: there, handler: name }));
    return { batch, known, owes: new Set(known.map(({ name }) => name)), elsewhere };
  };
  const parts = scripts.map((script, number): Part => {
    const own = script.together ? handlers.filter(({ name }) => script.items.some(({ change }) => change.notify?.includes(name))) : [];
    return { script, handlers: own, ...on(script.on), id: `${run}-${host}-${number}` };
  });
  const elsewhereToo = ({ name }: HandlerPlan): boolean =>
    scripts.some(({ together, items }) => !together && items.some(({ change, staging }) => !staging && change.notify?.includes(name)));
  const left = handlers.filter((handler) => elsewhereToo(handler) || !parts.some((part) => part.handlers.includes(handler)));
  const last = parts.at(-1);
  const here = left.filter((handler) => handler.on === last?.script.on && !last?.handlers.includes(handler));
  const elsewhere = [...new Set(left.filter((handler) => handler.on !== last?.script.on).map(({ on }) => on))];
  return [
    ...parts.map((part) => (part === last ? { ...part, handlers: [...part.handlers, ...here] } : part)),
    ...elsewhere.map((place, number) => ({
      script: { items: [], on: place, together: false },
      handlers: left.filter((handler) => handler.on === place),
      ...on(place),
      id: `${run}-${host}-handlers-${number}`,
    })),
  ];
}

async function runPart(host: string, part: Part, before: Progress, options: HostOptions): Promise<Progress> {
  const { script, id } = part;
  const name = script.on ?? host;
  const connection = options.connections.get(name);
  if (!connection) throw new Error(`no connection to ${name}`);
  const jobs = [...script.items.map((item) => jobOfItem(item, part, options)), ...handlerJobs(part, notifiedBy(before.done))];
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
    const { outcomes, failed } = await options.turns(name, () => runAcrossReboots(connection, bundle, following));
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

function jobOfItem(item: Item, part: Part, options: HostOptions): Job {
  const { change, step, staging, placed } = item;
  const { owes } = part;
  const more = { placed, ...keptAround(item, part, options), ...(step.tries && { tries: step.tries }) };
  if (!staging || !change.stage) return jobOf(change, { ...more, owes: (change.notify ?? []).filter((name) => owes.has(name)) });
  return {
    ...more,
    title: `get ready: ${change.title}`,
    run: change.stage,
    timeout: change.timeout ?? 60,
    ...(change.unless && { unless: change.unless }),
  };
}

/** How things were before the first run of all, for a teardown, and before this one, for a rollback. */
function keptAround(
  { change, touches: touched = [] }: Item,
  { batch, known: handlers }: Part,
  { runId: run, keepAll: all = false, resolve }: HostOptions,
): Pick<Job, 'keep' | 'note'> {
  const both = [keeping(touched), keepingVersions({ change, touched, run, batch, all, handlers, resolve })];
  const [keep, note] = [lines(...both.map((each) => each.keep)), lines(...both.map((each) => each.note))];
  return { ...(keep.parts.length > 0 && { keep }), ...(note.parts.length > 0 && { note }) };
}

/** A handler runs when an earlier script notified it, or waits for the changes of this script that do. */
function handlerJobs({ script: { items }, handlers }: Part, notified: ReadonlySet<string>): readonly Job[] {
  return handlers.flatMap(({ name, handler }) => {
    const here = items.flatMap(({ change, staging }, number) => (!staging && change.notify?.includes(name) ? [number] : []));
    if (notified.has(name)) return [handlerJob(name, handler, 'always')];
    return here.length > 0 ? [handlerJob(name, handler, here)] : [];
  });
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
