/** The difference between what a host should be and what it is, as plain data. Pure: no host is asked anything here. */
import { EXIT, LvsError } from '../errors.ts';
import type { Batch, Facts, Fleet, HandlerPlan, Host, HostPlan, Output, Seen, Step, StepPlan } from '../model.ts';
import type { BoundPlay } from '../playbook/bind.ts';
import { evaluate } from '../playbook/expression.ts';
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
        .map((host) => planHost(host, play.steps[host.name] ?? [], input)),
    }));
}

function planHost(host: Host, steps: readonly Step[], input: PlanInput): HostPlan {
  const seen = input.seen[host.name];
  if (!seen?.reached) {
    return { host: host.name, status: 'unreachable', why: seen?.reason ?? 'not asked', steps: [], handlers: [] };
  }
  const planned = steps.map((step) => planStep(step, host, seen.facts, seen.outputs[step.id], input));
  const failed = planned.find((step) => step.status === 'failed');
  return {
    host: host.name,
    status: failed ? 'failed' : 'planned',
    why: failed?.why ?? '',
    steps: planned,
    handlers: notified(planned, input.registry),
  };
}

function planStep(step: Step, host: Host, facts: Facts, output: Output | undefined, input: PlanInput): StepPlan {
  const verdict = (status: StepPlan['status'], why: string): StepPlan => ({ step, status, why, changes: [], pendingReboot: [] });
  try {
    if (
      step.when !== undefined &&
      !evaluate(step.when, scopeOf({ fleet: input.fleet, host, facts }, step.vars ?? { given: host.vars, made: {} }))
    ) {
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
    if (step.when !== undefined && error instanceof Error) return verdict('failed', `when: ${error.message}`);
    throw error;
  }
}

/** Handlers in the order in which the steps define them; a host runs each at most once. */
function notified(steps: readonly StepPlan[], registry: Registry): readonly HandlerPlan[] {
  const wanted = new Set(steps.flatMap((step) => step.changes.flatMap((change) => change.notify ?? [])));
  const defined = steps.flatMap((plan) => Object.entries(taskOf(plan.step, registry).handlers?.(plan.step.want) ?? {}));
  const handlers = new Map(defined.map(([name, handler]) => [name, { name, handler }] as const));
  for (const name of wanted) {
    if (!handlers.has(name)) {
      throw new LvsError(`no step of this play defines the handler "${name}"`, {
        code: 'playbook.unknown-handler',
        exitCode: EXIT.badInput,
        hint: handlers.size ? `defined here: ${[...handlers.keys()].join(', ')}` : 'none of its tasks defines one',
      });
    }
  }
  return [...handlers.values()].filter(({ name }) => wanted.has(name));
}

function taskOf(step: Step, registry: Registry): AnyTask {
  const task = registry.tasks.get(step.task);
  if (!task) throw new Error(`task ${step.task} was bound but is not registered`);
  return task;
}
