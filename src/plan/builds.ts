/**
 * Picks who compiles. A task says which artefact it installs and how one is built; here, for each that the control machine does not
 * hold yet, the first host that needs it gets the build as a change of its own, and every other host takes the result.
 */
import type { Artefact, Batch, Change, HostPlan, StepPlan } from '../model.ts';
import { sh } from '../sh/sh.ts';

/** `held` are the keys of artefacts in the control machine's cache. */
export function assignBuilds(batches: readonly Batch[], held: ReadonlySet<string>): readonly Batch[] {
  const given = new Set(held);
  const claim = (change: Change): readonly Change[] => {
    const artefact = change.consumes;
    if (!artefact || given.has(artefact.key)) return [change];
    given.add(artefact.key);
    return [buildOf(artefact), change];
  };
  const inStep = (step: StepPlan): StepPlan => ({ ...step, changes: step.changes.flatMap(claim) });
  const inHost = (host: HostPlan): HostPlan => ({ ...host, steps: host.status === 'planned' ? host.steps.map(inStep) : host.steps });
  return batches.map((batch) => ({ ...batch, hosts: batch.hosts.map(inHost) }));
}

function buildOf(artefact: Artefact): Change {
  return {
    id: `build:${artefact.key}`,
    title: artefact.title,
    was: '',
    will: `${artefact.title}\n`,
    // Under another name until it is whole: a half-written artefact must never be shipped.
    run: sh`LVSCTL_ARTEFACT=$LVSCTL_ARTEFACTS/${artefact.key}.part; export LVSCTL_ARTEFACT
(
${artefact.build}
)
mv "$LVSCTL_ARTEFACT" "$LVSCTL_ARTEFACTS"/${artefact.key}.tar.gz`,
    // A run whose line broke while it built has left the result behind.
    unless: sh`test -s "$LVSCTL_ARTEFACTS"/${artefact.key}.tar.gz`,
    timeout: artefact.timeout,
    produces: artefact,
    blobs: artefact.sources,
  };
}
