/** Why a host is not this run's, or not any more: exit code 6, a line each. */
import { EXIT, LvsError } from '../../errors.ts';
import type { Lock } from '../../model.ts';

const refusal = (host: string) => ({ code: 'locked', exitCode: EXIT.locked, where: { host } }) as const;

export function locked(host: string, { who, command, run, silent }: Lock): LvsError {
  return new LvsError(`another run is at work here: ${command} by ${who} (run ${run}, last sign of life ${silent} s ago)`, {
    ...refusal(host),
    hint: 'wait until it is done; a run whose control machine is gone is taken up by the next deploy',
  });
}

export function stale(host: string, run: string): LvsError {
  const what = run === '' ? 'the host was restarted' : `another run (${run}) has touched it`;
  return new LvsError(`${what} after this one had looked: nothing was touched`, { ...refusal(host), hint: 'run it again' });
}

export function noLock(host: string, complaint: string): LvsError {
  const message = `the host cannot be locked: ${complaint || 'it says nothing'}`;
  return new LvsError(message, { ...refusal(host), hint: '/run must be writable, and flock(1) of util-linux or BusyBox there' });
}

export function takenAway(host: string): LvsError {
  return new LvsError('the lock of this run was released by somebody else', { ...refusal(host), hint: 'see who is at work there' });
}

export function overtaken(host: string, run: string): LvsError {
  const message = `another run (${run}) has had the host while the line was broken: nothing more is done here`;
  return new LvsError(message, { ...refusal(host), hint: 'run it again' });
}

export function notAgain(host: string, reason: string): LvsError {
  const message = `the lock went with the line and cannot be taken again: ${reason}`;
  return new LvsError(message, { ...refusal(host), hint: 'run it again' });
}

export function notOurs(host: string): LvsError {
  const message = 'nothing was to be done here when this run began, so that the host is not locked for it';
  return new LvsError(message, { ...refusal(host), hint: 'run it again' });
}
