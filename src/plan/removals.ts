/**
 * Additions go to real servers first, then to directors; removals the other way round, or clients are sent to where nobody listens
 * any more. Changes that take something away therefore leave their batches and come last, the plays in opposite order.
 */
import type { Batch, HostPlan } from '../model.ts';

export function removalsLast(batches: readonly Batch[]): readonly Batch[] {
  const removals = batches.map((batch) => only(batch, true)).filter(hasChanges);
  if (removals.length === 0) return batches;
  return [...batches.map((batch) => only(batch, false)), ...removals.reverse()];
}

function only(batch: Batch, takesAway: boolean): Batch {
  const hosts = batch.hosts.map((host): HostPlan => {
    const steps = host.steps.map((step) => ({
      ...step,
      changes: step.changes.filter((change) => (change.takesAway ?? false) === takesAway),
    }));
    const notified = new Set(steps.flatMap(({ changes }) => changes.flatMap(({ notify }) => notify ?? [])));
    const kept = takesAway ? steps.filter(({ changes }) => changes.length > 0) : steps;
    return { ...host, steps: kept, handlers: host.handlers.filter(({ name }) => notified.has(name)) };
  });
  return takesAway ? { ...batch, name: `${batch.name}: what is taken away`, hosts, removals: true } : { ...batch, hosts };
}

function hasChanges({ hosts }: Batch): boolean {
  return hosts.some(({ steps }) => steps.some(({ changes }) => changes.length > 0));
}
