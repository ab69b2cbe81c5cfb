/** The difference between what a host should be and what it is, as plain data. Pure: no host is asked anything here. */
import { EXIT, LvsError, refuse } from '../errors.ts';
import type { Batch, BoundHandler, Facts, Fleet, HandlerPlan, Host, HostPlan, Output, Seen, Step, StepPlan } from '../model.ts';
import type { BoundPlay } from '../playbook/bind.ts';
import { evaluate } from '../playbook/expression.ts';
import { answersTo, ownHandlers } from '../playbook/handlers.ts';
import type { Registry } from '../playbook/registry.ts';
import { scopeOf } from '../playbook/scope.ts';
import type { AnyTask, PlanContext } from '../task.ts';

export interface PlanInput {
  readonly fleet: Fleet;
  readonly plays: readonly BoundPlay[];
  readonly registry: Registry;
  /** By host name. */
  readonly seen: Readonly<Record<string, Seen>>;
  /** Secret slots to values, for comparing. */
  readonly resolve: (text: string) => string;
}

/** One batch per play, in the playbook's order; hosts of a play that have nothing bound to them are left out. */
export function planBatches(input: PlanInput): readonly Batch[] {
  return input.plays
    .filter((play) => Object.values(play.steps).some((steps) => steps.length > 0))
    .map((play) => ({
      name: play.name,
      hosts: input.fleet.hosts
        .filter((host) => play.steps[host.name]?.length)
        .map((host) => planHost(host, play.steps[host.name] ?? [], play, input)),
    }));
}

function planHost(host: Host, steps: readonly Step[], play: BoundPlay, input: PlanInput): HostPlan {
  const seen = input.seen[host.name];
  if (!seen?.reached) {
    return { host: host.name, status: 'unreachable', why: seen?.reason ?? 'not asked', steps: [], handlers: [] };
  }
  const known = play.handlers?.[host.name] ?? ownHandlers(steps, input.registry);
  const handlers = known.filter((handler) => holds(handler, host, seen.facts, input));
  const planned = steps
    .map((step) => planStep(step, host, seen.facts, seen.outputs[step.id], input))
    .map((step) => answering(step, handlers, known));
  const failed = planned.find((step) => step.status === 'failed');
  return {
    host: host.name,
    status: failed ? 'failed' : 'planned',
    why: failed?.why ?? '',
    steps: planned,
    handlers: notified(planned, handlers),
  };
}

function planStep(step: Step, host: Host, facts: Facts, output: Output | undefined, input: PlanInput): StepPlan {
  const verdict = (status: StepPlan['status'], why: string): StepPlan => ({ step, status, why, changes: [], pendingReboot: [] });
  try {
    if (!holds(step, host, facts, input)) {
      return verdict('skipped', `${step.when} is false`);
    }
    const task = taskOf(step, input.registry);
    const seen = task.parse(output ?? { stdout: '', stderr: '', exit: 127 }, step.want);
    const same: PlanContext['same'] = (found, wanted) => found === input.resolve(wanted);
    const changes = task
      .plan(seen, step.want, { facts, host, fleet: input.fleet, same })
      .map((change) => ({ ...change, notify: [...new Set([...(change.notify ?? []), ...step.notify])] }));
    const pendingReboot = task.pendingReboot?.(seen, step.want) ?? [];
    const why = changes.length > 0 ? '' : task.settled(step.want, seen);
    return { step, status: changes.length > 0 ? 'change' : 'ok', why, changes, pendingReboot };
  } catch (error) {
    if (error instanceof LvsError) return verdict('failed', error.hint ? `${error.message}; ${error.hint}` : error.message);
    throw error;
  }
}

/** A change names what it notifies; here that becomes the handlers that answer to the name. */
function answering(step: StepPlan, handlers: readonly BoundHandler[], known: readonly BoundHandler[]): StepPlan {
  const changes = step.changes.map((change) => {
    const notify = (change.notify ?? []).flatMap((name) => {
      if (!known.some((handler) => answersTo(handler, name))) throw unknownHandler(name, known);
      return handlers.filter((handler) => answersTo(handler, name)).map((handler) => handler.name);
    });
    return { ...change, notify: [...new Set(notify)] };
  });
  return { ...step, changes };
}

/** Handlers in the order of their definition; a host runs each at most once. */
function notified(steps: readonly StepPlan[], handlers: readonly BoundHandler[]): readonly HandlerPlan[] {
  const wanted = new Set(steps.flatMap((step) => step.changes.flatMap((change) => change.notify ?? [])));
  return handlers.filter(({ name }) => wanted.has(name)).map(({ name, handler }) => ({ name, handler }));
}

/** Decides a condition that had to wait for facts. */
function holds({ name, when, vars }: Pick<Step, 'name' | 'when' | 'vars'>, host: Host, facts: Facts, { fleet }: PlanInput): boolean {
  if (when === undefined) return true;
  try {
    return Boolean(evaluate(when, scopeOf({ fleet, host, facts }, vars ?? { given: host.vars, made: {} })));
  } catch (error) {
    throw refuse(`when of "${name}": ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unknownHandler(name: string, known: readonly BoundHandler[]): LvsError {
  return new LvsError(`no step of this play defines the handler "${name}"`, {
    code: 'playbook.unknown-handler',
    exitCode: EXIT.badInput,
    hint: known.length ? `defined here: ${known.map((handler) => handler.name).join(', ')}` : 'none of its tasks defines one',
  });
}

function taskOf(step: Step, registry: Registry): AnyTask {
  const task = registry.tasks.get(step.task);
  if (!task) throw new Error(`task ${step.task} was bound but is not registered`);
  return task;
}
