/** What is to be said of a run as a whole, beside its hosts and checks. */
import type { Outcome } from '../model.ts';
import { needsWork } from '../plan/batches.ts';
import type { ReportInput } from './findings.ts';

/** Changes that a second look still finds, batches that were not begun, handlers that failed, hosts whose absence stops everything. */
export function notesOf(input: ReportInput): Notes {
  const handlers = handlersOf(input).filter(({ result }) => result === 'failed');
  const failed = handlers.map(({ host, title, output }) => `${host}: ${title} failed: ${output}`);
  return { failed: [...failed, ...leftOver(input)], stopped: input.applied ? stoppedNotes(input) : absentNotes(input) };
}

export interface Notes {
  /** What makes the run a failed one. */
  readonly failed: readonly string[];
  /** Why it did not go on, or did not begin. */
  readonly stopped: readonly string[];
}

function stoppedNotes({ applied, fleet, command }: ReportInput): readonly string[] {
  const names = applied?.stopped ?? [];
  if (names.length === 0) return [];
  const because = applied?.gates.length ? 'the gate before it does not open' : 'more hosts failed than may';
  const resume = `when that is mended, "lvsctl ${command} ${fleet.file}" goes on from here: what has been done is not done again`;
  return [...names.map((name) => `not begun, because ${because}: ${name}`), resume];
}

/** Before anything is touched: a host that does not answer counts as failed. */
function absentNotes({ plan, command }: ReportInput): readonly string[] {
  if (command !== 'deploy') return [];
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
  for (const { hosts } of applied.batches)
    for (const { host, steps } of hosts) for (const { step, status } of steps) if (status === 'skipped') told.add(`${host} ${step.id}`);
  const left = after.batches.flatMap(({ hosts }) =>
    hosts.flatMap(({ host, steps }) =>
      steps
        .filter(({ step, status }) => status !== 'standby' && !told.has(`${host} ${step.id}`))
        .flatMap(({ changes }) => changes.map(({ title }) => `still to be done after applying: ${host}: ${title}`)),
    ),
  );
  return left;
}

/** What handlers came to, with the host. */
export function handlersOf({ applied }: ReportInput): readonly (Outcome & { readonly host: string })[] {
  return (applied?.hosts ?? []).flatMap(({ host, changes }) =>
    changes.flatMap(({ step, outcome }) => (step === undefined ? [{ ...outcome, host }] : [])),
  );
}
