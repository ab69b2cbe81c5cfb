/**
 * Changes of risk `split`: what directors must agree on (VRID, authentication, advert interval, the set of VIPs). With one of them
 * changed and another not there are two masters, in whichever order they are taken; so all of them change in the same instant.
 */
import type { Fleet, HostPlan } from '../model.ts';

/** Refuses such a change where a host of the same role is not part of the run or did not answer, and where a failure would not stop it. */
export function refuseLonelySplits(hosts: readonly (readonly HostPlan[])[], fleet: Fleet): readonly (readonly HostPlan[])[] {
  const there = new Set(hosts.flat().flatMap(({ host, status }) => (status === 'unreachable' ? [] : [host])));
  return hosts.map((phases) => phases.map((plan) => refused(plan, there, fleet)));
}

function refused(plan: HostPlan, there: ReadonlySet<string>, fleet: Fleet): HostPlan {
  const step = plan.steps.find(({ changes }) => changes.some(({ risk }) => risk === 'split'));
  const missing = peersOf(plan.host, fleet).find((peer) => !there.has(peer));
  const framed = (step?.step.frames?.length ?? 0) > 0;
  if (!step || (missing === undefined && !framed)) return plan;
  const title = step.changes.find(({ risk }) => risk === 'split')?.title;
  const reason = framed
    ? 'it cannot stand in a block with rescue or always'
    : `${missing} is not in this run; reach it first, and leave --limit away`;
  const why = `${title}: directors must agree on this, so all change together, and ${reason}`;
  return { ...plan, status: 'failed', why, steps: plan.steps.map((each) => (each === step ? { ...each, status: 'failed', why } : each)) };
}

/** The other hosts of its role. */
export function peersOf(host: string, { hosts }: Fleet): readonly string[] {
  const role = hosts.find(({ name }) => name === host)?.role;
  return hosts.filter((each) => each.role === role && each.name !== host).map(({ name }) => name);
}
