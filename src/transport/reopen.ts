/** A line that broke, opened again: the host may be busy with what broke it. */
import { setTimeout as pause } from 'node:timers/promises';
import { EXIT, LvsError } from '../errors.ts';
import type { Connection } from './transport.ts';

/** Seconds for which a host that is being changed may be away. */
export const awayAtMost = 300;

/** The reason why there is no line any more after so many seconds; undefined when there is one again. Another host key ends it at once. */
export async function reopen(connection: Connection, seconds: number, stopped = () => false): Promise<string | undefined> {
  if (!connection.renew) return 'the line broke';
  const deadline = Date.now() + seconds * 1000;
  await pause(0);
  for (;;) {
    // Somebody else who uses it may have opened it again by now.
    if (connection.lost?.() === false) return undefined;
    try {
      await connection.renew();
      return undefined;
    } catch (error) {
      if (!(error instanceof LvsError)) throw error;
      if (isFinal(error) || stopped() || Date.now() > deadline) return `the line broke, and there is no new one: ${error.message}`;
      await pause(error.code === 'ssh.refused' ? 5000 : 500);
    }
  }
}

/** Not to be tried again: the host shows another key, it was closed here, or the input is bad. */
export function isFinal({ code, exitCode }: LvsError): boolean {
  return exitCode !== EXIT.unreachable || code.startsWith('ssh.host-key') || code === 'ssh.closed';
}

/** A line that breaks as often as this under the same work is broken by it. */
const most = 5;

/** Work that may begin anew, and does when the line breaks under it; throws what it throws otherwise. */
export async function overLines<Result>(connection: Connection, seconds: number, work: () => Promise<Result>): Promise<Result> {
  for (let times = 1; ; times++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LvsError) || error.code !== 'ssh.lost' || times === most) throw error;
      if ((await reopen(connection, seconds)) !== undefined) throw error;
    }
  }
}
