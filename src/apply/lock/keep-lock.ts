/** The lock on one host while a run lasts, over as many lines as it takes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { LvsError } from '../../errors.ts';
import type { Lock } from '../../model.ts';
import { awayAtMost, overLines, reopen } from '../../transport/reopen.ts';
import { runScript } from '../../transport/run-script.ts';
import type { Connection } from '../../transport/transport.ts';
import { frozenError } from './freeze.ts';
import { type Held, holdLock } from './hold-lock.ts';
import { type Before, type LockOwner, releaseScript } from './lock-script.ts';
import { locked, noLock, notAgain, overtaken, stale, takenAway } from './refusals.ts';

export interface Kept {
  readonly host: string;
  /** Why it was not to be had. */
  readonly refused?: LvsError;
  /** It was left behind by this run, and taken over. */
  readonly broken?: Lock;
  /** As `Locks`. */
  readonly check: () => Promise<void>;
  release(): Promise<void>;
}

/** Throws what its line throws. */
export async function keepLock(connection: Connection, owner: LockOwner, before: Before): Promise<Kept> {
  const grip: Grip = { connection, owner, over: false, lost: undefined, held: undefined, regaining: undefined };
  const broken = await take(grip, before);
  return {
    host: connection.host.name,
    ...(grip.lost && { refused: grip.lost }),
    ...(broken && { broken }),
    check: () => check(grip),
    release: () => letGo(grip),
  };
}

interface Grip {
  readonly connection: Connection;
  readonly owner: LockOwner;
  /** It was given back. */
  over: boolean;
  lost: LvsError | undefined;
  held: Held | undefined;
  regaining: Promise<string> | undefined;
}

async function take(grip: Grip, before: Before | undefined): Promise<Lock | undefined> {
  const { connection, owner } = grip;
  const now = await overLines(connection, awayAtMost, () => holdLock(connection, owner, before));
  grip.lost = refusalOf(connection.host.name, now, before === undefined);
  if (grip.lost) now.channel.close();
  else if (grip.over) now.channel.stdin.end('release\n');
  else grip.held = now;
  void now.ended.then(() => {
    if (grip.held !== now) return;
    grip.held = undefined;
    if (now.lost()) grip.lost = takenAway(connection.host.name);
    else if (!grip.over) void regain(grip, awayAtMost);
  });
  return now.broken;
}

function refusalOf(host: string, { answer, complaint }: Held, again: boolean): LvsError | undefined {
  if (!answer) return noLock(host, complaint());
  if (answer.kind === 'frozen') return frozenError(host, answer.frozen);
  if (answer.kind === 'held') return locked(host, answer.lock);
  if (answer.kind === 'stale') return again ? overtaken(host, answer.last) : stale(host, answer.last);
  return undefined;
}

/** Why it cannot be taken again within so many seconds; empty where it was, or where that is known to be lost. Never rejects. */
function regain(grip: Grip, seconds: number): Promise<string> {
  const anew = async (): Promise<string> => {
    try {
      const why = await reopen(grip.connection, seconds, () => grip.over);
      if (why === undefined && !grip.over) await take(grip, undefined);
      return why ?? '';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  grip.regaining ??= anew().finally(() => {
    grip.regaining = undefined;
  });
  return grip.regaining;
}

/** A reboot may take longer than a host is waited for here: whoever asks has reached it, and then it is tried once more. */
async function check(grip: Grip): Promise<void> {
  const { name } = grip.connection.host;
  await grip.regaining;
  const why = grip.held || grip.lost ? '' : await regain(grip, 0);
  if (grip.held?.lost()) grip.lost = takenAway(name);
  if (!grip.held) grip.lost ??= notAgain(name, why);
  if (grip.lost) throw grip.lost;
}

/** Seconds for a goodbye: a host that does not answer must not hold up the end; its lock counts as left behind a moment later. */
const goodbye = 3;

async function letGo(grip: Grip): Promise<void> {
  const { connection, owner, held, lost } = grip;
  grip.over = true;
  if (lost) return;
  held?.channel.stdin.end('release\n');
  const heard = await Promise.race([held?.ended, pause(1000 * goodbye, null, { ref: false })]);
  // Over a channel of its own: the one that held the lock has ended with its line.
  const anew = () => runScript(connection, releaseScript(owner.run), { timeout: goodbye });
  if (heard !== true) await overLines(connection, goodbye, anew).catch(() => undefined);
}
