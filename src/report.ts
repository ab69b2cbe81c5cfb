/** What a run found, as the document that scripts and people are shown, with the one exit code that stands for it. */
import type { Applied } from './apply/apply.ts';
import type { AppliedHost } from './apply/apply-host.ts';
import { EXIT, type ExitCode } from './errors.ts';
import type {
  ChangeReport,
  CheckResult,
  Fleet,
  Host,
  HostPlan,
  HostReport,
  Outcome,
  Plan,
  Report,
  StepPlan,
  StepReport,
  Summary,
} from './model.ts';
import { mask } from './sh/secret.ts';
import { renderSh } from './sh/sh.ts';
import type { Lines } from './transport/reach.ts';
import { diffLines } from './view/diff.ts';

/** What the stages of a run came to. */
export interface Findings {
  readonly plan: Plan;
  readonly applied?: Applied;
  /** The plan made again after applying: must be empty. */
  readonly after?: Plan;
  readonly checks: readonly CheckResult[];
}

export interface ReportInput extends Findings {
  readonly command: string;
  readonly runId: string;
  readonly fleet: Fleet;
  readonly lines: Lines;
  readonly seconds: number;
}

export function makeReport(input: ReportInput): Report {
  const asked = input.fleet.hosts.filter(({ name }) => input.lines.connections.has(name) || input.lines.unreached[name]);
  const hosts = asked.map((host) => hostReport(host, input));
  const summary = summarise(hosts, input);
  const notes = notesOf(input);
  const exitCode = exitCodeOf(input, summary, notes);
  return { command: input.command, ok: exitCode === EXIT.done, exitCode, runId: input.runId, summary, hosts, checks: input.checks, notes };
}

function hostReport(host: Host, input: ReportInput): HostReport {
  const plans = input.plan.batches.flatMap((batch) => batch.hosts.filter((plan) => plan.host === host.name));
  const unreached = input.lines.unreached[host.name];
  const lost = plans.find((plan) => plan.status === 'unreachable');
  const steps = plans.flatMap((plan) => plan.steps.map((step) => stepReport(step, appliedOf(plan, input))));
  const why =
    unreached && !unreached.reached
      ? [unreached.reason, unreached.hint].filter(Boolean).join('; ')
      : (lost?.why ?? plans.find((plan) => plan.why)?.why ?? '');
  const status = why && (unreached || lost) ? 'unreachable' : worst(steps.map((step) => step.status));
  const changed = steps.flatMap((step) => step.changes).filter((change) => (input.applied ? change.status === 'done' : true)).length;
  const channels = input.lines.connections.get(host.name)?.channels ?? 0;
  return { name: host.name, role: host.role, address: host.address, status, why, changed, channels, steps };
}

/** Changes are reported by step; what its handlers did is found under the host's last step that notified. */
function appliedOf(plan: HostPlan, { applied }: ReportInput): readonly AppliedHost[] | undefined {
  return applied?.hosts.filter(({ host }) => host === plan.host);
}

function stepReport(plan: StepPlan, applied: readonly AppliedHost[] | undefined): StepReport {
  const changes = plan.changes.map((change): ChangeReport => {
    const outcome = applied
      ?.flatMap((host) => host.changes)
      .find((done) => done.step === plan.step.id && done.change === change.id)?.outcome;
    const base = {
      id: change.id,
      title: change.title,
      diff: diffLines(change),
      script: renderSh(change.run, mask),
      output: outcome?.output ?? '',
      seconds: outcome?.seconds ?? 0,
    };
    return { ...base, status: outcome?.result ?? (applied ? 'not-run' : 'planned') };
  });
  const { name, task } = plan.step;
  return { task, name, status: statusOf(plan, changes, applied !== undefined), why: plan.why, changes, pendingReboot: plan.pendingReboot };
}

function statusOf(plan: StepPlan, changes: readonly ChangeReport[], applied: boolean): StepReport['status'] {
  if (plan.status !== 'change' || !applied) return plan.status;
  if (changes.some(({ status }) => status === 'failed')) return 'failed';
  if (changes.some(({ status }) => status === 'not-run')) return 'not-run';
  return changes.some(({ status }) => status === 'done') ? 'changed' : 'ok';
}

function worst(statuses: readonly StepReport['status'][]): HostReport['status'] {
  for (const status of ['failed', 'changed', 'change'] as const) if (statuses.includes(status)) return status;
  return 'ok';
}

function summarise(hosts: readonly HostReport[], input: ReportInput): Summary {
  const steps = hosts.flatMap((host) => host.steps);
  const count = (status: StepReport['status']): number => steps.filter((step) => step.status === status).length;
  return {
    hosts: hosts.length,
    channels: hosts.reduce((sum, host) => sum + host.channels, 0),
    seconds: Math.round(input.seconds * 100) / 100,
    ok: count('ok'),
    changed: hosts.reduce((sum, host) => sum + host.changed, 0),
    failed: count('failed') + handlersOf(input).filter(({ result }) => result === 'failed').length,
    unreachable: hosts.filter((host) => host.status === 'unreachable').length,
    skipped: count('skipped'),
  };
}

function handlersOf({ applied }: ReportInput): readonly (Outcome & { readonly host: string })[] {
  return (applied?.hosts ?? []).flatMap(({ host, changes }) =>
    changes.flatMap(({ step, outcome }) => (step === undefined ? [{ ...outcome, host }] : [])),
  );
}

/** Changes that a second look still finds, batches that were not begun, handlers that failed. */
function notesOf(input: ReportInput): readonly string[] {
  const stopped = (input.applied?.stopped ?? []).map((name) => `not begun, because a host failed before: ${name}`);
  const handlers = handlersOf(input).filter(({ result }) => result === 'failed');
  const failed = handlers.map(({ host, title, output }) => `${host}: ${title} failed: ${output}`);
  const whole = input.applied?.hosts.every((host) => !host.failed) ?? false;
  const left = whole && input.after ? changesOf(input.after).map((title) => `still to be done after applying: ${title}`) : [];
  return [...failed, ...stopped, ...left];
}

function changesOf(plan: Plan): readonly string[] {
  return plan.batches.flatMap((batch) =>
    batch.hosts.flatMap((host) => host.steps.flatMap((step) => step.changes.map(({ title }) => `${host.host}: ${title}`))),
  );
}

/** Where several codes apply: 5 unreachable, then 1 failed, 3 not verified, 2 changes pending. A refusal of the plan is bad input. */
function exitCodeOf(input: ReportInput, summary: Summary, notes: readonly string[]): ExitCode {
  if (!input.applied && summary.failed > 0) return EXIT.badInput;
  if (summary.unreachable > 0) return EXIT.unreachable;
  if (summary.failed > 0 || notes.length > 0) return EXIT.taskFailed;
  if (input.checks.some(({ status }) => status === 'fail')) return EXIT.verificationFailed;
  return !input.applied && summary.changed > 0 ? EXIT.changesPending : EXIT.done;
}
