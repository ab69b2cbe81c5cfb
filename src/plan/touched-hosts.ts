/** Where a plan may change something: those hosts are locked, and must not be frozen. */
import type { HostPlan, Plan } from '../model.ts';
import { needsWork } from './batches.ts';

/**
 * Those that have work, and those on which it is done in their place. Behind a barrier these are all that have a step there: what it comes to is
 * only known when what is before it has been done.
 */
export function touchedHosts({ batches }: Plan): readonly string[] {
  const busy = batches.flatMap(({ hosts, phase }) => hosts.filter((host) => host.steps.some(needsWork) || (phase > 0 && mayWork(host))));
  return [
    ...new Set(
      busy.flatMap(({ host, steps }) => [host, ...steps.flatMap(({ step, changes }) => [step.on, ...changes.map(({ on }) => on)])]),
    ),
  ].filter((name) => name !== undefined);
}

function mayWork({ status, steps }: HostPlan): boolean {
  return status === 'planned' && steps.length > 0;
}
