/**
 * Changes of risk `split`: what directors must agree on (VRID, authentication, advert interval, the set of VIPs). With one of them
 * changed and another not there are two masters, in whichever order they are taken; so all of them change in the same instant.
 */
import type { Fleet, HostPlan } from '../model.ts';

/** Refuses such a change where a host of the same role is not part of the run or did not answer. */
export function refuseLonelySplits(hosts: readonly (readonly HostPlan[])[], fleet: Fleet): readonly (readonly HostPlan[])[] {
  const there = new Set(hosts.flat().flatMap(({ host, status }) => (status === 'unreachable' ? [] : [host])));
  return hosts.map((phases) =>
    phases.map((plan): HostPlan => {
      const split = plan.steps.flatMap(({ changes }) => changes).find(({ risk }) => risk === 'split');
      const missing = split && peersOf(plan.host, fleet).find((peer) => !there.has(peer));
      if (!split || missing === undefined) return plan;
      const why = `${split.title}: directors must agree on this, so all change together, and ${missing} is not in this run; reach it first, and leave --limit away`;
      const steps = plan.steps.map((step) => (step.changes.includes(split) ? { ...step, status: 'failed' as const, why } : step));
      return { ...plan, status: 'failed', why, steps };
    }),
  );
}

function peersOf(host: string, { hosts }: Fleet): readonly string[] {
  const role = hosts.find(({ name }) => name === host)?.role;
  return hosts.filter((each) => each.role === role && each.name !== host).map(({ name }) => name);
}
