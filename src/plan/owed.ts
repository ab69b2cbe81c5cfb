/** Handlers that an earlier run has left owed: notified, and never run. They are changes like any other: shown, counted, done. */

import type { BoundHandler, Change, HandlerPlan, Host, HostPlan, StepPlan } from '../model.ts';
import { pendingFile, pendingFolder } from '../probe/traces.ts';
import { lines, sh } from '../sh/sh.ts';

/** Handlers of a play that run in one place: on the play's host, or where its steps are delegated to. */
export interface Place {
  /** Absent: the play's host. */
  readonly on?: string | undefined;
  readonly handlers: readonly BoundHandler[];
}

export interface Owing {
  readonly host: Host;
  /** Number of the play. */
  readonly play: number;
  readonly places: readonly Place[];
  /** Those that this run has run anyway: a step notifies them that does not stand by. */
  readonly notified: readonly HandlerPlan[];
  /** By host; what is found here is taken out. */
  readonly owed: Readonly<Record<string, Set<string>>>;
}

/** What an earlier run has left owed comes last, unless this one notifies it anyway. */
export function withOwed(plans: readonly HostPlan[], owing: Owing): readonly HostPlan[] {
  const last = plans.at(-1);
  if (!last) return plans;
  const phase = last.steps[0]?.step.phase ?? 0;
  const steps = owing.places.flatMap((place) => owedStep(place, phase, owing) ?? []);
  return steps.length > 0 ? [...plans.slice(0, -1), { ...last, steps: [...last.steps, ...steps] }] : plans;
}

/** A step after all others of the play on this host; undefined where nothing is owed. */
function owedStep({ on, handlers }: Place, phase: number, { host, play, notified, owed }: Owing): StepPlan | undefined {
  const due = handlers
    .filter(({ name }) => owed[on ?? host.name]?.delete(name))
    .filter(({ name }) => !notified.some((planned) => planned.name === name && planned.on === on));
  if (due.length === 0) return undefined;
  const step = {
    id: on === undefined ? `${play}.owed` : `${play}.owed.${on}`,
    host: host.name,
    play,
    name: 'handlers that an earlier run has left',
    task: 'handler',
    want: {},
    notify: [],
    phase,
    where: {},
    ...(on !== undefined && { on }),
  };
  return { step, status: 'change', why: '', changes: due.map(owedChange), pendingReboot: [] };
}

/** Without the handler's `unless`: a process that is newer than the file may have read it before it was whole. */
function owedChange({ name, handler: { run, validate, timeout, reboots, risk } }: BoundHandler): Change {
  return {
    id: `owed:${name}`,
    title: `handler ${name}: an earlier run was cut off before it`,
    was: 'notified\n',
    will: 'has run\n',
    run: lines(run, sh`rm -f -- ${`${pendingFolder}/${pendingFile(name)}`}`),
    ...(validate && { validate }),
    ...(timeout !== undefined && { timeout }),
    ...(reboots !== undefined && { reboots }),
    ...(risk && { risk }),
  };
}
