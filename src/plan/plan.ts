/** The difference between what hosts should be and what they are, as plain data. Pure: no host is asked anything here. */
import { EXIT, LvsError } from '../errors.ts';
import type { Batch, BoundHandler, Fleet, HandlerPlan, Host, HostPlan, Known, Registered, Seen, Share, Step, StepPlan } from '../model.ts';
import type { BoundPlay } from '../playbook/bind.ts';
import { answersTo, ownHandlers } from '../playbook/handlers.ts';
import type { Registry } from '../playbook/registry.ts';
import { batchesOf } from './batches.ts';
import { type Place, withOwed } from './owed.ts';
import { holds, planStep } from './plan-step.ts';
import { remember } from './registered.ts';

export interface PlanInput {
  readonly fleet: Fleet;
  readonly plays: readonly BoundPlay[];
  readonly registry: Registry;
  /** By host name. */
  readonly seen: Readonly<Record<string, Seen>>;
  /** Secret slots to values, for comparing. */
  readonly resolve: (text: string) => string;
  /** The other way round, for what hosts say and later steps use. */
  readonly conceal: (text: string) => string;
  /** `--serial` and `--max-fail`, which win over what the plays say. */
  readonly serial?: Share | undefined;
  readonly maxFail?: Share | undefined;
  /** `--take-over`: what others have configured may be replaced. */
  readonly takeOver?: boolean | undefined;
}

export interface Planned {
  readonly batches: readonly Batch[];
  /** What may be used in parameters behind a barrier. */
  readonly known: Known;
}

/** Handlers by host that an earlier run has left, until a play knows them. */
type Owed = Readonly<Record<string, Set<string>>>;
type Numbered = BoundPlay & { readonly number: number };
type Input = PlanInput & { readonly owed: Owed };
type Said = Record<string, Record<string, Registered>>;

/** The batches of all plays, in the playbook's order; hosts of a play that have nothing bound to them are left out. */
export function planBatches(input: PlanInput): Planned {
  const said: Said = Object.fromEntries(input.fleet.hosts.map(({ name }) => [name, {}]));
  const owed: Owed = Object.fromEntries(
    Object.values(input.seen).flatMap((seen) => (seen.reached ? [[seen.host, new Set(seen.traces?.pending)]] : [])),
  );
  const batches = input.plays.flatMap((play, number) =>
    batchesOf({ ...input, play, number, hosts: planPlay({ ...play, number }, said, { ...input, owed }) }),
  );
  const facts = Object.values(input.seen).flatMap((seen) => (seen.reached ? [[seen.host, seen.facts] as const] : []));
  return { batches, known: { facts: Object.fromEntries(facts), registered: said } };
}

/** By host, then by phase. */
function planPlay(play: Numbered, said: Said, input: Input): readonly (readonly HostPlan[])[] {
  const hosts = input.fleet.hosts.filter((host) => play.steps[host.name]?.length);
  return hosts.map((host) => {
    const plans = planHost(host, play, said[host.name] ?? {}, input);
    // What is done once was done for all of them.
    for (const { step, said: words } of plans.flatMap(({ steps }) => steps)) {
      if (step.runOnce && words)
        for (const other of Object.keys(play.steps)) if (other !== host.name) remember(said[other] ?? {}, step, words);
    }
    return plans;
  });
}

/** A plan for each phase; `said` grows by what the steps register. */
function planHost(host: Host, play: Numbered, said: Record<string, Registered>, input: Input): readonly HostPlan[] {
  const steps = play.steps[host.name] ?? [];
  const phases = [...new Set(steps.map(({ phase }) => phase ?? 0))];
  const lost = unreached(host, steps, input);
  if (lost) return [{ host: host.name, status: 'unreachable', why: lost, steps: [], handlers: [] }];
  for (const name of play.skips?.[host.name] ?? []) said[name] ??= { changed: false, skipped: true };
  const facts = (input.seen[host.name] as Extract<Seen, { reached: true }>).facts;
  const busy = new Set<string>();
  const planned = steps.map((step) => {
    const plan = planStep(step, host, said, { ...input, busy });
    if (plan.changes.length > 0) for (const { block, part } of step.frames ?? []) if (part === 'body') busy.add(block);
    if (plan.said) remember(said, step, plan.said);
    return plan;
  });
  const known = play.handlers?.[host.name] ?? ownHandlers(steps, input.registry);
  const handlers = known.filter((handler) => holds(handler, { fleet: input.fleet, host, facts, registered: said }));
  const plans = phases.map((phase) =>
    hostPlan(
      host,
      planned.filter(({ step }) => (step.phase ?? 0) === phase),
      { known, handlers },
    ),
  );
  const certain = plans.flatMap((plan) =>
    notified(
      plan.steps.filter(({ status }) => status !== 'standby'),
      handlers,
    ),
  );
  const places = placesOf(steps, handlers, input.registry);
  return withOwed(plans, { host, play: play.number, places, notified: certain, owed: input.owed });
}

/** What the tasks bring along is owed where they were done, all else on the play's host. */
function placesOf(steps: readonly Step[], handlers: readonly BoundHandler[], registry: Registry): readonly Place[] {
  const elsewhere = [...new Set(steps.flatMap(({ on }) => on ?? []))].map((on): Place => {
    const there = ownHandlers(
      steps.filter((step) => step.on === on),
      registry,
    );
    return { on, handlers: handlers.filter(({ name, own }) => own && there.some((handler) => handler.name === name)) };
  });
  return [{ handlers }, ...elsewhere];
}

interface Handlers {
  readonly known: readonly BoundHandler[];
  /** Those whose condition holds. */
  readonly handlers: readonly BoundHandler[];
}

function hostPlan(host: Host, steps: readonly StepPlan[], all: Handlers): HostPlan {
  const answered = steps.map((step) => answering(step, all));
  const failed = answered.find(({ status }) => status === 'failed');
  return {
    host: host.name,
    status: failed ? 'failed' : 'planned',
    why: failed?.why ?? '',
    steps: answered,
    handlers: notified(answered, all.handlers),
  };
}

/** Why the host cannot be planned: it, or a host on which a step is done in its place, did not answer. */
function unreached(host: Host, steps: readonly Step[], { seen }: PlanInput): string | undefined {
  const names = [host.name, ...steps.flatMap(({ on }) => on ?? [])];
  const lost = names.find((name) => !seen[name]?.reached);
  if (lost === undefined) return undefined;
  const said = seen[lost];
  const reason = said && !said.reached ? said.reason : 'not asked';
  return lost === host.name ? reason : `${lost}, to which a task is delegated: ${reason}`;
}

/** A change names what it notifies; here that becomes the handlers that answer to the name. */
function answering(step: StepPlan, { known, handlers }: Handlers): StepPlan {
  const changes = step.changes.map((change) => {
    const notify = (change.notify ?? []).flatMap((name) => {
      if (!known.some((handler) => answersTo(handler, name))) throw unknownHandler(step, name, known);
      return handlers.filter((handler) => answersTo(handler, name)).map((handler) => handler.name);
    });
    return { ...change, notify: [...new Set(notify)] };
  });
  return { ...step, changes };
}

/** Handlers in the order of their definition; a host runs each at most once. One that comes with a delegated task runs where that was done. */
function notified(steps: readonly StepPlan[], handlers: readonly BoundHandler[]): readonly HandlerPlan[] {
  return handlers.flatMap(({ name, handler, own }): readonly HandlerPlan[] => {
    const notifying = steps.filter(({ changes }) => changes.some(({ notify }) => notify?.includes(name)));
    const places = own ? [...new Set(notifying.map(({ step }) => step.on))] : notifying.length > 0 ? [undefined] : [];
    return places.map((on) => ({ name, handler, ...(on !== undefined && { on }) }));
  });
}

function unknownHandler({ step }: StepPlan, name: string, known: readonly BoundHandler[]): LvsError {
  return new LvsError(`${step.name}: no step of this play defines the handler "${name}"`, {
    code: 'playbook.unknown-handler',
    exitCode: EXIT.badInput,
    where: { host: step.host },
    hint: known.length ? `defined here: ${known.map((handler) => handler.name).join(', ')}` : 'none of its tasks defines one',
  });
}
