/** A plan without some of its steps: those that somebody has said no to. */
import type { Plan, StepPlan } from '../model.ts';

/** How a step is named here. */
export function stepName(host: string, id: string): string {
  return `${host} ${id}`;
}

export function leaveOut(plan: Plan, omitted: ReadonlySet<string>): Plan {
  if (omitted.size === 0) return plan;
  const inStep = (host: string, step: StepPlan): StepPlan =>
    omitted.has(stepName(host, step.step.id)) ? { ...step, status: 'skipped', why: 'left out', changes: [] } : step;
  const batches = plan.batches.map((batch) => ({
    ...batch,
    hosts: batch.hosts.map((host) => {
      const steps = host.steps.map((step) => inStep(host.host, step));
      const notified = new Set(steps.flatMap(({ changes }) => changes.flatMap(({ notify }) => notify ?? [])));
      return { ...host, steps, handlers: host.handlers.filter(({ name }) => notified.has(name)) };
    }),
  }));
  return { ...plan, batches };
}
