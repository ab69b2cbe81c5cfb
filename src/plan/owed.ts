/** Handlers that an earlier run has left owed: notified, and never run. They are changes like any other: shown, counted, done. */

import type { BoundHandler, Change, Host, StepPlan } from '../model.ts';
import { pendingFile, pendingFolder } from '../probe/traces.ts';
import { lines, sh } from '../sh/sh.ts';

/** A step after all others of the play on this host; undefined where nothing is owed. */
export function owedStep(host: Host, play: number, phase: number, owed: readonly BoundHandler[]): StepPlan | undefined {
  if (owed.length === 0) return undefined;
  const step = {
    id: `${play}.owed`,
    host: host.name,
    play,
    name: 'handlers that an earlier run has left',
    task: 'handler',
    want: {},
    notify: [],
    phase,
    where: {},
  };
  return { step, status: 'change', why: '', changes: owed.map(owedChange), pendingReboot: [] };
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
