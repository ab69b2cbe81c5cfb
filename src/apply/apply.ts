/** Runs a plan: batch after batch, the hosts of a batch side by side. A batch in which a host failed is the last one. */
import type { Batch, Plan } from '../model.ts';
import { type AppliedHost, type ApplyOptions, applyHost, type HostOptions } from './apply-host.ts';
import { newBuilds } from './artefacts.ts';

export interface Applied {
  readonly hosts: readonly AppliedHost[];
  /** Names of the batches that were not begun because of a failure in an earlier one. */
  readonly stopped: readonly string[];
}

export async function apply(plan: Plan, options: ApplyOptions): Promise<Applied> {
  const builds = newBuilds(plan, options.store);
  const done: AppliedHost[] = [];
  for (const [number, batch] of plan.batches.entries()) {
    done.push(...(await applyBatch(batch, number, { ...options, builds })));
    if (done.some((host) => host.failed))
      return {
        hosts: done,
        stopped: plan.batches
          .slice(number + 1)
          .filter(hasWork)
          .map(({ name }) => name),
      };
  }
  return { hosts: done, stopped: [] };
}

function applyBatch(batch: Batch, number: number, options: HostOptions): Promise<readonly AppliedHost[]> {
  const ready = batch.hosts.filter((host) => host.status === 'planned' && host.steps.some((step) => step.changes.length > 0));
  return Promise.all(ready.map((host) => applyHost(host, `${options.runId}-${number}`, options)));
}

function hasWork(batch: Batch): boolean {
  return batch.hosts.some((host) => host.steps.some((step) => step.changes.length > 0));
}
