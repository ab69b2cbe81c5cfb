/** Locks on every host that a run will touch: all of them or none, kept alive while the run lasts, taken again after a line broke. */
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { EXIT, LvsError } from '../errors.ts';
import type { Lock } from '../model.ts';
import { newNonce } from '../sh/frame.ts';
import { awayAtMost, overLines, reopen } from '../transport/reopen.ts';
import { runScript } from '../transport/run-script.ts';
import type { Channel, Connection } from '../transport/transport.ts';
import { type Before, type LockAnswer, type LockOwner, lockAnswers, lockScript, releaseScript } from './lock-script.ts';

export interface LockOptions {
  readonly owner: LockOwner;
  readonly connections: ReadonlyMap<string, Connection>;
  /** By host: what the look has seen of other runs there. */
  readonly before: Readonly<Record<string, Before>>;
}

export interface Locks {
  /** Locks that were left behind and have been taken over, a sentence each. */
  readonly broken: readonly string[];
  /** Throws LvsError `locked` (exit 6) when the lock of the host is somebody else's now. */
  readonly check: (host: string) => void;
  release(): Promise<void>;
}

/** Throws LvsError `locked` (exit 6) when another run is at work on one of the hosts, or was since the look; then none is locked. */
export async function takeLocks(hosts: readonly string[], options: LockOptions): Promise<Locks> {
  const kept = await Promise.all(hosts.map((host) => keepLock(host, options)));
  const release = async (): Promise<void> => void (await Promise.all(kept.map((one) => one.release())));
  const [first, ...others] = kept.flatMap(({ refused }) => refused ?? []);
  if (first) {
    await release();
    throw others.length === 0 ? first : withOthers(first, others);
  }
  const byHost = new Map(kept.map((one) => [one.host, one]));
  return {
    broken: kept.flatMap(({ host, broken }) =>
      broken ? [`${host}: the lock that ${broken.command} by ${broken.who} (run ${broken.run}) had left behind was taken over`] : [],
    ),
    check: (host) => {
      const lost = byHost.get(host)?.lost();
      if (lost) throw lost;
    },
    release,
  };
}

function withOthers({ message, code, exitCode, where, hint }: LvsError, others: readonly LvsError[]): LvsError {
  return new LvsError(message, { code, exitCode, others, ...(where && { where }), ...(hint !== undefined && { hint }) });
}

interface Kept {
  readonly host: string;
  readonly refused?: LvsError;
  readonly broken?: Lock;
  readonly lost: () => LvsError | undefined;
  release(): Promise<void>;
}

/** Milliseconds between signs of life. */
const pulse = 5_000;
/** Seconds for a goodbye: a host that does not answer must not hold up the end; its lock counts as left behind a moment later. */
const goodbye = 3;

async function keepLock(host: string, { owner, connections, before }: LockOptions): Promise<Kept> {
  const connection = connections.get(host);
  if (!connection) throw new Error(`no connection to ${host}`);
  let over = false;
  let lost: LvsError | undefined;
  let held: Held | undefined;
  const take = async (seen: Before | undefined): Promise<Held> => {
    const now = await overLines(connection, awayAtMost, () => openLock(connection, owner, seen));
    if (now.answer?.kind === 'held') lost = locked(host, now.answer.lock);
    if (now.answer?.kind === 'stale') lost = stale(host, now.answer.last);
    if (now.answer?.kind !== 'locked') now.channel.close();
    else void now.ended.then(again);
    return now;
  };
  const again = async (): Promise<void> => {
    held = undefined;
    if (over || (await reopen(connection, awayAtMost, () => over)) !== undefined || over) return;
    held = await take(undefined).catch(() => undefined);
  };
  held = await take(before[host] ?? { last: '' });
  const broken = held.broken;
  if (!held.answer) lost = noLock(host, held.complaint());
  return {
    host,
    ...(lost && { refused: lost }),
    ...(broken && { broken }),
    lost: () => lost ?? held?.lost(host),
    async release() {
      over = true;
      const now = held;
      if (lost) return;
      now?.channel.stdin.end('release\n');
      const heard = await Promise.race([now?.ended, pause(1000 * goodbye, null, { ref: false })]);
      if (heard !== true) await release(connection, owner.run).catch(() => undefined);
    },
  };
}

/** Over a channel of its own: the one that held the lock has ended with its line. */
function release(connection: Connection, run: string): Promise<unknown> {
  return overLines(connection, goodbye, () => runScript(connection, releaseScript(run), { timeout: goodbye }));
}

interface Held {
  readonly channel: Channel;
  /** The first word that decides; undefined when none came. */
  readonly answer: LockAnswer | undefined;
  readonly broken: Lock | undefined;
  /** True when the host itself has ended it. */
  readonly ended: Promise<boolean>;
  readonly complaint: () => string;
  readonly lost: (host: string) => LvsError | undefined;
}

async function openLock(connection: Connection, owner: LockOwner, before: Before | undefined): Promise<Held> {
  const nonce = newNonce();
  const channel = await connection.shell();
  const parse = lockAnswers(nonce);
  let broken: Lock | undefined;
  let gone = false;
  let complaint = '';
  channel.stdin.on('error', () => undefined);
  createInterface({ input: channel.stderr }).on('line', (line) => {
    complaint = line.slice(0, 300);
  });
  const decided = new Promise<LockAnswer | undefined>((resolve) => {
    createInterface({ input: channel.stdout }).on('line', (line) => {
      const said = parse(line);
      if (said?.kind === 'broken') broken = said.lock;
      else if (said?.kind === 'lost') gone = true;
      else if (said) resolve(said);
    });
    void channel.ended.then(() => resolve(undefined));
  });
  channel.stdin.write(lockScript(owner, nonce, before));
  const answer = await decided;
  if (!answer && (await channel.ended).exit === null) throw broke(connection.host.name);
  const beat = setInterval(() => channel.stdin.write('beat\n'), pulse).unref();
  const ended = channel.ended.then(({ exit }) => {
    clearInterval(beat);
    return exit === 0;
  });
  const lost = (host: string): LvsError | undefined => (gone ? takenAway(host) : undefined);
  return { channel, answer, broken, ended, complaint: () => complaint, lost };
}

function broke(host: string): LvsError {
  return new LvsError('the line broke', { code: 'ssh.lost', exitCode: EXIT.unreachable, where: { host } });
}

function locked(host: string, { who, command, run, silent }: Lock): LvsError {
  return new LvsError(`another run is at work here: ${command} by ${who} (run ${run}, last sign of life ${silent} s ago)`, {
    ...refusal(host),
    hint: 'wait until it is done; a run whose control machine is gone is taken up by the next deploy',
  });
}

function stale(host: string, run: string): LvsError {
  const what = run === '' ? 'the host was restarted' : `another run (${run}) has touched it`;
  return new LvsError(`${what} after this one had looked: nothing was touched`, { ...refusal(host), hint: 'run it again' });
}

function takenAway(host: string): LvsError {
  return new LvsError('the lock of this run was released by somebody else', { ...refusal(host), hint: 'see who is at work there' });
}

function noLock(host: string, complaint: string): LvsError {
  const message = `the host cannot be locked: ${complaint || 'it says nothing'}`;
  return new LvsError(message, { ...refusal(host), hint: '/run must be writable, and flock(1) of util-linux or BusyBox there' });
}

const refusal = (host: string) => ({ code: 'locked', exitCode: EXIT.locked, where: { host } }) as const;
