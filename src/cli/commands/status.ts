/** `lvsctl status`: who has the VIPs and what each real server is given, now or (`--watch`) again and again; directors alone are asked. */
import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { EXIT, type ExitCode, LvsError } from '../../errors.ts';
import { selectHosts } from '../../inventory/select.ts';
import type { Host, Seen } from '../../model.ts';
import { probeAll } from '../../probe/probe-all.ts';
import { statusProbe } from '../../status/director-state.ts';
import { type ClusterStatus, statusOf } from '../../status/status.ts';
import { askHosts } from '../../transport/ask-hosts.ts';
import type { Lines } from '../../transport/reach.ts';
import { say } from '../../view/say.ts';
import { statusLines } from '../../view/status.ts';
import { printDocument } from '../document.ts';
import type { CommonFlags } from '../flags.ts';
import { listenForInterruption } from '../interruption.ts';
import { readInterval } from '../interval.ts';
import { openSession, type Session } from '../session.ts';

export interface StatusFlags extends CommonFlags {
  /** True: every two seconds. */
  readonly watch?: string | true;
}

export async function status(file: string, flags: StatusFlags): Promise<void> {
  const every = flags.watch === undefined ? undefined : readInterval('--watch', flags.watch === true ? '2s' : flags.watch, 1);
  if (!flags.color) process.env.NO_COLOR = '1';
  const session = await openSession(file, flags, {});
  const directors = selectHosts(session.fleet, flags.limit).filter(({ role }) => role === 'director');
  if (directors.length === 0)
    throw new LvsError(`--limit ${flags.limit} names no director, and they alone know how things are`, {
      code: 'cli.limit',
      exitCode: EXIT.badInput,
      hint: 'say "directors", or the name of one',
    });
  listenForInterruption(session.resume, () => undefined);
  if (every !== undefined) return watch(session, directors, every, flags);
  const { found, exitCode } = await askHosts(directors, session, ({ lines }) => look(session, lines));
  if (flags.json) return printDocument('status', exitCode, found);
  say(statusLines(found).join('\n'));
  process.exitCode = exitCode;
}

interface Looked {
  readonly found: ClusterStatus;
  readonly exitCode: ExitCode;
}

/** One script for each director. */
async function look({ fleet, forks, resolve, conceal }: Session, { connections, unreached }: Lines): Promise<Looked> {
  const questions = Object.fromEntries([...connections.keys()].map((host) => [host, { status: statusProbe }]));
  const options = { connections, doing: 'status', limit: pLimit(forks), resolve, conceal, emit: () => undefined };
  const seen: Readonly<Record<string, Seen>> = { ...unreached, ...(await probeAll(questions, options)) };
  const looks = fleet.hosts.flatMap((host) => {
    const one = seen[host.name];
    const output = one?.reached ? one.outputs.status : undefined;
    return output ? [{ host, output }] : [];
  });
  const silent = Object.values(seen).flatMap((one) => (one.reached ? [] : [[one.host, one.reason] as const]));
  return { found: statusOf(fleet, looks, Object.fromEntries(silent)), exitCode: silent.length > 0 ? EXIT.unreachable : EXIT.done };
}

/** Until it is interrupted. Lines stay open from look to look; when a director does not answer, all are opened anew. */
async function watch(session: Session, directors: readonly Host[], every: number, flags: StatusFlags): Promise<never> {
  for (;;) {
    await askHosts(directors, session, async ({ lines }) => {
      for (let answered = true; answered; ) {
        const began = Date.now();
        const { found, exitCode } = await look(session, lines);
        showAgain(found, began, flags);
        answered = exitCode === EXIT.done;
        await pause(Math.max(0, began + every * 1000 - Date.now()));
      }
    });
  }
}

/** On a terminal in the place of the last one; with --json a line each. */
function showAgain(found: ClusterStatus, at: number, { json }: StatusFlags): void {
  if (json) return void process.stdout.write(`${JSON.stringify({ time: new Date(at).toISOString(), ...found })}\n`);
  if (process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[2J');
  say([new Date(at).toTimeString().slice(0, 8), ...statusLines(found), ''].join('\n'));
}
