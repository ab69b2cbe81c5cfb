/** A look at every host and the plan that follows from it; and the looks behind barriers, when what comes before them has been done. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Batch, Fleet, HostPlan, Known, Plan, Seen, Share, Step, StepPlan } from '../model.ts';
import type { BoundPlay } from '../playbook/bind.ts';
import type { Registry } from '../playbook/registry.ts';
import { type ProbeAllOptions, probeAll, type Questions } from '../probe/probe-all.ts';
import type { Sh } from '../sh/sh.ts';
import { assignBuilds } from './builds.ts';
import { planBatches } from './plan.ts';
import { fragmentId } from './plan-step.ts';
import { removalsLast } from './removals.ts';

export interface LookOptions extends Omit<ProbeAllOptions, 'doing'> {
  readonly fleet: Fleet;
  readonly registry: Registry;
  /** The plays bound to hosts, with what is known of these. */
  readonly bind: (known?: Known) => readonly BoundPlay[];
  /** Hosts that were not reached. */
  readonly unreached: Readonly<Record<string, Seen>>;
  /** Keys of artefacts that need no build. */
  readonly held: () => ReadonlySet<string>;
  readonly serial?: Share | undefined;
  readonly maxFail?: Share | undefined;
  /** What others have configured may be replaced. */
  readonly takeOver?: boolean | undefined;
  /** Aborted: nothing more is waited for. */
  readonly stop?: AbortSignal | undefined;
}

/** A plan and what it was made from. */
export interface Looked {
  readonly plan: Plan;
  readonly plays: readonly BoundPlay[];
  readonly seen: Readonly<Record<string, Seen>>;
  readonly known: Known;
}

/** One script per host; a further one only where parameters behind a barrier had to wait for what the one before has found. */
export async function look(options: LookOptions): Promise<Looked> {
  const plays = options.bind();
  const seen = await ask(questionsOf(plays, options), 'probe', options);
  let looked = planned(plays, { ...options.unreached, ...seen }, options);
  for (let waiting = waitingIn(looked); waiting.size > 0; waiting = waitingIn(looked)) {
    const bound = options.bind(looked.known);
    const isNew = (step: Step): boolean => step.waits === undefined && waiting.has(entryOf(step));
    looked = planned(bound, merged(looked.seen, await ask(questionsOf(bound, options, isNew), 'probe', options)), options);
    if (waitingIn(looked).size >= waiting.size) break;
  }
  return looked;
}

/**
 * The batch behind a barrier, planned from a new look at its hosts, if anything has been done on any host, or something has to come about
 * first. A step with `until` is looked at again until it holds; a host where it never does has failed.
 */
export async function lookAgain(
  batch: Batch,
  touched: ReadonlySet<string>,
  before: Looked,
  options: LookOptions,
): Promise<{ readonly batch: Batch; readonly looked: Looked }> {
  const open = batch.hosts.some(({ steps }) => steps.some(isOpen));
  if (touched.size === 0 && !open) return { batch: batchIn(before, batch), looked: before };
  const names = new Set(batch.hosts.map(({ host }) => host));
  const here = (step: Step): boolean => step.play === batch.play && (step.phase ?? 0) === batch.phase && names.has(step.host);
  let looked = await lookAt(here, before, options);
  // What is found may decide what is asked: a kernel that is another one now, say.
  if (wordsOf(options.bind(looked.known), here) !== wordsOf(looked.plays, here)) looked = await lookAt(here, looked, options);
  const waited = await untilHolds(batch, looked, options);
  looked = waited.tries > 1 ? await lookAt(here, waited.looked, options) : waited.looked;
  return { batch: batchIn(looked, batch), looked };
}

async function lookAt(chosen: (step: Step) => boolean, { seen, known }: Looked, options: LookOptions): Promise<Looked> {
  const plays = options.bind(known);
  return planned(plays, merged(seen, await ask(questionsOf(plays, options, chosen), 'look again', options)), options);
}

async function untilHolds(batch: Batch, first: Looked, options: LookOptions): Promise<{ readonly looked: Looked; readonly tries: number }> {
  let looked = first;
  let tries = 1;
  for (; ; tries += 1) {
    const open = batchIn(looked, batch)
      .hosts.flatMap(({ steps }) => steps)
      .filter(({ holds, step }) => holds === false && tries < (step.tries?.tries ?? 1));
    if (open.length === 0 || options.stop?.aborted) return { looked, tries };
    for (const { step } of open)
      options.emit({ kind: 'host', host: step.host, doing: `${step.name}: try ${tries} of ${step.tries?.tries}` });
    const delay = 1000 * Math.max(...open.map(({ step }) => step.tries?.delay ?? 0));
    await sleep(delay, undefined, { ...(options.stop && { signal: options.stop }) }).catch(() => undefined);
    if (options.stop?.aborted) return { looked, tries };
    looked = await lookAt((step) => open.some((each) => each.step.id === step.id && each.step.host === step.host), looked, options);
  }
}

/** The plan of a late batch's hosts in a newer look. Where `until` still does not hold, or a parameter is still not known, the host has failed. */
function batchIn({ plan, seen }: Looked, { hosts, ...batch }: Batch): Batch {
  const isNow = ({ play, phase, removals }: Batch): boolean =>
    play === batch.play && phase === batch.phase && (removals ?? false) === (batch.removals ?? false);
  const now = new Map(plan.batches.filter(isNow).flatMap((each) => each.hosts.map((host) => [host.host, host] as const)));
  return { ...batch, hosts: hosts.map(({ host }) => overdue(now.get(host) ?? without(host, seen[host]))) };
}

/** Nothing is left to do for the host in this phase, or it does not answer any more. */
function without(host: string, seen: Seen | undefined): HostPlan {
  const lost = seen && !seen.reached ? seen.reason : undefined;
  return { host, status: lost === undefined ? 'planned' : 'unreachable', why: lost ?? '', steps: [], handlers: [] };
}

function overdue(host: HostPlan): HostPlan {
  const open = host.steps.find(isOpen);
  if (!open) return host;
  const { name, until, tries } = open.step;
  const why = open.holds === false ? `"${name}": ${until} did not hold in ${tries?.tries ?? 1} tries` : `"${name}": ${open.why}`;
  return { ...host, status: 'failed', why, steps: host.steps.map((step) => (step === open ? { ...step, status: 'failed', why } : step)) };
}

function planned(plays: readonly BoundPlay[], seen: Looked['seen'], options: LookOptions): Looked {
  const { batches, known } = planBatches({ ...options, plays, seen });
  return { plan: { cluster: options.fleet.cluster, batches: removalsLast(assignBuilds(batches, options.held())) }, plays, seen, known };
}

function ask(questions: Questions, doing: string, options: LookOptions): Promise<Looked['seen']> {
  return probeAll(questions, { ...options, doing });
}

/** The fragments of the chosen steps, each in the script of the host that it looks at. */
export function questionsOf(
  plays: readonly BoundPlay[],
  { registry }: Pick<LookOptions, 'registry'>,
  chosen: (step: Step) => boolean = () => true,
): Questions {
  const questions: Record<string, Record<string, Sh>> = {};
  for (const step of stepsOf(plays).filter(chosen)) {
    const task = registry.tasks.get(step.task);
    const host = step.on ?? step.host;
    // A host whose steps all have to wait, or are done elsewhere, is looked at for its facts.
    questions[step.host] ??= {};
    questions[host] ??= {};
    if (task && step.waits === undefined) questions[host][fragmentId(step)] = task.probe(step.want);
  }
  return questions;
}

function merged(before: Looked['seen'], now: Looked['seen']): Looked['seen'] {
  const both = Object.values(now).map((seen) => {
    const old = before[seen.host];
    return [seen.host, seen.reached && old?.reached ? { ...seen, outputs: { ...old.outputs, ...seen.outputs } } : seen] as const;
  });
  return { ...before, ...Object.fromEntries(both) };
}

/** Entries (`host play.task`) whose parameters have to wait. */
function waitingIn({ plan }: Looked): ReadonlySet<string> {
  const later = plan.batches.flatMap(({ hosts }) => hosts.flatMap(({ steps }) => steps.filter(({ status }) => status === 'later')));
  return new Set(later.map(({ step }) => entryOf(step)));
}

function entryOf({ host, id }: Step): string {
  return `${host} ${id.split('.').slice(0, 2).join('.')}`;
}

function isOpen({ status, holds }: StepPlan): boolean {
  return status === 'later' || holds === false;
}

function wordsOf(plays: readonly BoundPlay[], chosen: (step: Step) => boolean): string {
  return JSON.stringify(
    stepsOf(plays)
      .filter(chosen)
      .map(({ id, host, want, on }) => [id, host, want, on]),
  );
}

function stepsOf(plays: readonly BoundPlay[]): readonly Step[] {
  return plays.flatMap(({ steps }) => Object.values(steps).flat());
}
