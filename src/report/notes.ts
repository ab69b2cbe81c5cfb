/** What is to be said of a run as a whole, beside its hosts and checks. */
import type { Outcome, StepPlan } from '../model.ts';
import { needsWork } from '../plan/batches.ts';
import type { ReportInput } from './findings.ts';

/** Changes that a second look still finds, batches that were not begun, handlers that failed, hosts whose absence stops everything. */
export function notesOf(input: ReportInput): Notes {
  const handlers = handlersOf(input).filter(({ result }) => result === 'failed');
  const failed = handlers.map(({ host, title, output }) => `${host}: ${title} failed: ${output}`);
  return {
    failed: [...failed, ...unended(input), ...leftOver(input), ...staying(input)],
    stopped: input.applied ? stoppedNotes(input) : absentNotes(input),
  };
}

export interface Notes {
  /** What makes the run a failed one. */
  readonly failed: readonly string[];
  /** Why it did not go on, or did not begin. */
  readonly stopped: readonly string[];
}

function stoppedNotes(input: ReportInput): readonly string[] {
  const { applied, resume: line } = input;
  const names = applied?.stopped ?? [];
  if (applied?.interrupted)
    return [`interrupted: what was at work was finished, and nothing was begun after it; "${line}" goes on from here`];
  if (names.length === 0) return [];
  const because = reasonOf(input);
  const resume = `when that is mended, "${line}" goes on from here: what has been done is not done again`;
  return [...names.map((name) => `not begun, because ${because}: ${name}`), resume];
}

function reasonOf({ applied }: ReportInput): string {
  if (applied?.gates.length) return 'the gate before it does not open';
  const onlyRemovals = applied?.batches.every((batch) => batch.removals || !applied.stopped.includes(batch.name));
  return onlyRemovals ? 'not every host is as it should be' : 'more hosts failed than may';
}

/** Before anything is touched: a host that does not answer counts as failed. */
function absentNotes({ plan, command }: ReportInput): readonly string[] {
  if (!['deploy', 'teardown', 'rollback'].includes(command)) return [];
  const busy = new Set(plan.batches.filter(({ hosts }) => hosts.some(({ steps }) => steps.some(needsWork))).map(({ play }) => play));
  return [...busy].flatMap((number) => {
    const batches = plan.batches.filter(({ play }) => play === number);
    const lost = [
      ...new Set(batches.flatMap(({ hosts }) => hosts.filter(({ status }) => status === 'unreachable').map(({ host }) => host))),
    ];
    const [first] = batches;
    if (!first || lost.length <= first.maxFail) return [];
    const without = ['all', ...lost.map((host) => `!${host}`)].join(':');
    return [
      `nothing was touched: ${lost.join(', ')} ${lost.length === 1 ? 'does' : 'do'} not answer, and ${first.maxFail === 0 ? 'none' : `only ${first.maxFail}`} may fail; mend that, leave out (--limit '${without}') or allow it (--max-fail ${lost.length})`,
    ];
  });
}

/** Steps that came to nothing for a reason that is told already do not count. */
function leftOver(input: ReportInput): readonly string[] {
  const { applied, after } = input;
  if (!after || !applied || applied.hosts.some(({ failed }) => failed) || applied.stopped.length > 0) return [];
  const made = new Set(['done', 'already']);
  const told = new Set(
    applied.hosts.flatMap(({ host, changes }) =>
      changes.flatMap(({ step, outcome }) => (made.has(outcome.result) ? [] : [`${host} ${step}`])),
    ),
  );
  for (const { host, steps } of applied.batches.flatMap(({ hosts }) => hosts)) {
    const rescued = rescuedBlocks(host, steps, input);
    for (const { step, status } of steps)
      if (status === 'skipped' || step.frames?.some(({ block }) => rescued.has(block))) told.add(`${host} ${step.id}`);
  }
  const left = after.batches.flatMap(({ hosts }) =>
    hosts.flatMap(({ host, steps }) =>
      steps
        .filter(({ step, status }) => status !== 'standby' && !told.has(`${host} ${step.id}`))
        .flatMap(({ changes }) => changes.map(({ title }) => `still to be done after applying: ${host}: ${title}`)),
    ),
  );
  return [...unseen(input), ...left];
}

/** Hosts that have failed although no step of theirs has: their last line was lost after the last step, before the end of the run was told. */
function unended({ applied, resume }: ReportInput): readonly string[] {
  const lost = (applied?.hosts ?? []).filter(
    ({ failed, changes }) => failed && changes.length > 0 && !changes.some(({ outcome }) => outcome.result === 'failed'),
  );
  const names = [...new Set(lost.map(({ host }) => host))];
  return names.map(
    (host) => `${host} was lost before it told how its run ended: nothing was done after that; "${resume}" goes on from here`,
  );
}

/** Said when the run is at its end, or has nothing to do: until then the plan shows it. */
function staying({ plan, applied, after }: ReportInput): readonly string[] {
  const last = after ?? plan;
  const open = !after && (applied || plan.batches.some(({ hosts }) => hosts.some(({ steps }) => steps.some(needsWork))));
  if (open) return [];
  return last.batches.flatMap(({ hosts }) =>
    hosts.flatMap(({ host, steps }) => steps.flatMap(({ stays = [] }) => stays.map((what) => `left as it is: ${host}: ${what}`))),
  );
}

/** Of a block that was rescued nothing is left to be done: what its body did may be undone, and the rest has asked by itself. */
function rescuedBlocks(host: string, steps: readonly StepPlan[], { applied }: ReportInput): ReadonlySet<string> {
  const changes = (applied?.hosts ?? []).filter((each) => each.host === host).flatMap((each) => each.changes);
  const failed = new Set(changes.flatMap(({ step, outcome }) => (outcome.result === 'rescued' ? [step] : [])));
  const around = steps.filter(({ step }) => failed.has(step.id)).flatMap(({ step }) => step.frames ?? []);
  return new Set(around.filter(({ part, rescued }) => part === 'body' && rescued).map(({ block }) => block));
}

/** Hosts of which nobody knows whether the changes have held. */
function unseen({ applied, after }: ReportInput): readonly string[] {
  const worked = new Set(applied?.hosts.map(({ host }) => host));
  const lost = (after?.batches ?? []).flatMap(({ hosts }) =>
    hosts.filter(({ host, status }) => status === 'unreachable' && worked.has(host)),
  );
  return [...new Set(lost.map(({ host, why }) => `${host} could not be looked at after its changes were made: ${why}`))];
}

/** What handlers came to, with the host. */
export function handlersOf({ applied }: ReportInput): readonly (Outcome & { readonly host: string })[] {
  return (applied?.hosts ?? []).flatMap(({ host, changes }) =>
    changes.flatMap(({ step, outcome }) => (step === undefined ? [{ ...outcome, host }] : [])),
  );
}
