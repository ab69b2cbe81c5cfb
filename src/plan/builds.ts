/**
 * Picks who compiles. A task says which artefact it installs and how one is built; here, for each that the control machine does not
 * hold yet, the first host that needs it gets the build as a change of its own, and every other host takes the result. Where the artefact
 * names its builder, that change is done there, wherever it stands in the plan.
 */
import { refuse } from '../errors.ts';
import type { Artefact, Batch, Blob, Change, HostPlan, StepPlan } from '../model.ts';
import { sh } from '../sh/sh.ts';

/** `held` are the keys of artefacts in the control machine's cache. Throws `refused` where a builder that is named is not at work in this run. */
export function assignBuilds(batches: readonly Batch[], held: ReadonlySet<string>): readonly Batch[] {
  const given = new Set(held);
  const present = new Set(batches.flatMap(({ hosts }) => hosts.filter(({ status }) => status === 'planned').map(({ host }) => host)));
  const claim = (change: Change, host: string): readonly Change[] => {
    const artefact = change.consumes;
    if (!artefact || given.has(artefact.key)) return [change];
    if (artefact.on !== undefined && !present.has(artefact.on)) throw noBuilder(artefact, artefact.on);
    given.add(artefact.key);
    return [buildOf(artefact, host), change];
  };
  const inStep = (step: StepPlan, host: string): StepPlan => ({ ...step, changes: step.changes.flatMap((change) => claim(change, host)) });
  const inHost = (host: HostPlan): HostPlan =>
    host.status === 'planned' ? { ...host, steps: host.steps.map((step) => inStep(step, step.step.on ?? host.host)) } : host;
  return batches.map((batch) => ({ ...batch, hosts: batch.hosts.map(inHost) }));
}

function noBuilder({ title }: Artefact, on: string): Error {
  return refuse(`${on}, which is to ${title}, is not at work in this run`, `take ${on} into the run, or name another host with "on"`);
}

function buildOf(artefact: Artefact, host: string): Change {
  const elsewhere = artefact.on !== undefined && artefact.on !== host;
  return {
    id: `build:${artefact.key}`,
    title: elsewhere ? `${artefact.title} on ${artefact.on}` : artefact.title,
    was: '',
    will: `${[artefact.title, ...artefact.sources.flatMap(origin)].join('\n')}\n`,
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
    ...(elsewhere && { on: artefact.on }),
  };
}

/** What is compiled is code, whoever named it: the plan says which. */
function origin({ name, sha256, from }: Blob): readonly string[] {
  return [`source ${name}, SHA-256 ${sha256}`, `from ${from.join(', or ')}`];
}
