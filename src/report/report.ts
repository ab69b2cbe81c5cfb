/** What a run found, as the document that scripts and people are shown, with the one exit code that stands for it. */
import type { AppliedHost } from '../apply/apply-host.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import type { Batch, ChangeReport, CheckResult, Host, HostReport, Plan, Report, StepPlan, StepReport, Summary } from '../model.ts';
import { needsWork } from '../plan/batches.ts';
import { mask } from '../sh/secret.ts';
import { renderSh } from '../sh/sh.ts';
import { diffLines } from '../view/diff.ts';
import type { ReportInput } from './findings.ts';
import { handlersOf, type Notes, notesOf } from './notes.ts';

export function makeReport(input: ReportInput): Report {
  const asked = input.fleet.hosts.filter(({ name }) => input.lines.connections.has(name) || input.lines.unreached[name]);
  const hosts = asked.map((host) => hostReport(host, input));
  const summary = summarise(hosts, input);
  const notes = notesOf(input);
  const exitCode = exitCodeOf(input, summary, notes);
  return {
    command: input.command,
    ok: exitCode === EXIT.done,
    exitCode,
    runId: input.runId,
    touched: input.applied !== undefined,
    summary,
    batches: workOf(batchesOf(input)),
    hosts,
    checks: checksOf(input),
    notes: [...notes.failed, ...notes.stopped, ...input.told].map((note) => mask(input.conceal(note))),
  };
}

function hostReport(host: Host, input: ReportInput): HostReport {
  const plans = batchesOf(input).flatMap((batch) => batch.hosts.filter((plan) => plan.host === host.name));
  const unreached = input.lines.unreached[host.name];
  const lost = plans.find((plan) => plan.status === 'unreachable');
  const steps = oncePerStep(plans.flatMap((plan) => plan.steps)).map((step) => stepReport(step, appliedOf(host, input)));
  const why =
    unreached && !unreached.reached
      ? [unreached.reason, unreached.hint].filter(Boolean).join('; ')
      : (lost?.why ?? plans.find((plan) => plan.why)?.why ?? '');
  const status = why && (unreached || lost) ? 'unreachable' : worst(steps.map((step) => step.status));
  const counted = steps.filter((step) => input.applied || step.status === 'change').flatMap((step) => step.changes);
  const changed = counted.filter((change) => (input.applied ? change.status === 'done' : true)).length;
  const channels = input.lines.connections.get(host.name)?.channels ?? 0;
  const said = mask(input.conceal(why));
  return { name: host.name, role: host.role, address: host.address, status, why: said, changed, channels, steps };
}

/** As they were run, where they were. */
function batchesOf({ plan, applied }: ReportInput): readonly Batch[] {
  return applied?.batches ?? plan.batches;
}

/** What a step takes away stands in a batch of its own. */
function oncePerStep(steps: readonly StepPlan[]): readonly StepPlan[] {
  const byId = new Map<string, StepPlan>();
  for (const step of steps) {
    const before = byId.get(step.step.id);
    byId.set(step.step.id, before ? { ...before, changes: [...before.changes, ...step.changes] } : step);
  }
  return [...byId.values()];
}

/** Changes are reported by step; what its handlers did is found under the host's last step that notified. */
function appliedOf({ name }: Host, { applied }: ReportInput): readonly AppliedHost[] | undefined {
  return applied?.hosts.filter(({ host }) => host === name);
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
  return {
    task,
    name,
    status: statusOf(plan, changes, applied !== undefined),
    why: plan.why,
    changes,
    pendingReboot: plan.pendingReboot,
    stays: plan.stays ?? [],
  };
}

function statusOf(plan: StepPlan, changes: readonly ChangeReport[], applied: boolean): StepReport['status'] {
  if (!['change', 'standby'].includes(plan.status) || !applied) return plan.status;
  if (changes.some(({ status }) => status === 'failed')) return 'failed';
  if (changes.some(({ status }) => status === 'rescued')) return 'rescued';
  if (plan.status === 'standby' && changes.every(({ status }) => status === 'not-run')) return 'standby';
  if (changes.some(({ status }) => status === 'not-run')) return 'not-run';
  return changes.some(({ status }) => status === 'done') ? 'changed' : 'ok';
}

function worst(statuses: readonly StepReport['status'][]): HostReport['status'] {
  for (const status of ['failed', 'changed', 'change'] as const) if (statuses.includes(status)) return status;
  if (statuses.includes('rescued')) return 'changed';
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
    skipped: count('skipped') + count('standby'),
    rescued: count('rescued'),
  };
}

/** Where several codes apply: 130 interrupted, 5 unreachable, then 1 failed, 3 not verified, 2 changes pending. A refusal of the plan is bad input. */
function exitCodeOf(input: ReportInput, summary: Summary, notes: Notes): ExitCode {
  if (input.applied?.interrupted) return EXIT.interrupted;
  if (!input.applied && summary.failed > 0) return EXIT.badInput;
  if (summary.unreachable > 0) return EXIT.unreachable;
  if (summary.failed > 0 || notes.failed.length > 0 || input.applied?.hosts.some(({ failed }) => failed)) return EXIT.taskFailed;
  if (checksOf(input).some(({ status }) => status === 'fail')) return EXIT.verificationFailed;
  return !input.applied && isWork(input.plan) ? EXIT.changesPending : EXIT.done;
}

/** What a gate found counts as what was verified. */
function checksOf({ applied, checks }: ReportInput): readonly CheckResult[] {
  return [...(applied?.gates ?? []), ...checks];
}

function isWork(plan: Plan): boolean {
  return workOf(plan.batches).length > 0;
}

/** Batches in which something is to be done, with the hosts concerned. */
function workOf(batches: readonly Batch[]): Report['batches'] {
  const busy = batches.map(({ name, hosts }) => ({
    name,
    hosts: hosts.filter(({ steps }) => steps.some(needsWork)).map(({ host }) => host),
  }));
  return busy.filter(({ hosts }) => hosts.length > 0);
}
