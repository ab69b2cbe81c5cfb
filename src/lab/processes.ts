import { readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { EXIT, LvsError } from '../errors.ts';

/** A process of this machine, from /proc. */
export interface Process {
  readonly pid: number;
  readonly group: number;
  readonly arguments: readonly string[];
  /** Inode of its network namespace; 0 when it cannot be seen. */
  readonly network: number;
}

/** All processes but zombies. */
export function processes(): readonly Process[] {
  return readdirSync('/proc').flatMap((name) => {
    const process = /^\d+$/.test(name) ? readProcess(Number(name)) : undefined;
    return process ? [process] : [];
  });
}

/**
 * Names one life of a process (`pid.start`, start in clock ticks since boot), since a pid is given again to others. Empty when there is
 * no such process.
 */
export function processStamp(pid: number): string {
  const fields = statFields(pid);
  return fields && fields[0] !== 'Z' ? `${pid}.${fields[19]}` : '';
}

/** Whether the life that `stamp` names goes on. */
export function isAlive(stamp: string): boolean {
  return stamp !== '' && processStamp(Number(stamp.split('.')[0])) === stamp;
}

/** Kills what `find` finds, asks again until it finds nothing. Throws LvsError (exit 1) if something is still there after ten seconds. */
export async function endAll(find: () => readonly Process[]): Promise<void> {
  const limit = Date.now() + 10_000;
  for (let left = find(); left.length > 0; left = find()) {
    if (Date.now() > limit) {
      throw new LvsError(`processes ${left.map((process) => process.pid).join(', ')} of the lab do not end`, {
        code: 'lab.undead',
        exitCode: EXIT.taskFailed,
      });
    }
    for (const process of left) kill(process.pid);
    await wait(20);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone between the look and the kill
  }
}

function readProcess(pid: number): Process | undefined {
  const fields = statFields(pid);
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return { pid, group: Number(fields[2]), arguments: words.slice(0, -1), network: networkOf(pid) };
  } catch {
    return undefined;
  }
}

function networkOf(pid: number): number {
  try {
    return statSync(`/proc/${pid}/ns/net`).ino;
  } catch {
    return 0;
  }
}

/** /proc/PID/stat from its third field (the state) on; the second, the command's name, may hold spaces and brackets. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
