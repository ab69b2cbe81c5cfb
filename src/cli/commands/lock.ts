/** `lvsctl lock …`: who is at work on the hosts of an inventory, and a way to let go of a lock that stands in the way. */
import pLimit from 'p-limit';
import { isLive, releaseScript } from '../../apply/lock/lock-script.ts';
import { EXIT, type ExitCode } from '../../errors.ts';
import type { Lock, Seen } from '../../model.ts';
import { probeAll } from '../../probe/probe-all.ts';
import type { Lines } from '../../transport/reach.ts';
import { runScript } from '../../transport/run-script.ts';
import { printable } from '../../view/printable.ts';
import { say } from '../../view/say.ts';
import { printDocument } from '../document.ts';
import type { CommonFlags } from '../flags.ts';
import { onHosts } from '../on-hosts.ts';
import type { Session } from '../session.ts';

interface HostLock {
  readonly host: string;
  /** Absent: nobody is at work there. */
  readonly lock?: Lock;
  /** Ids of runs of which something is at work there. */
  readonly running: readonly string[];
  /** Why it could not be looked at. */
  readonly why?: string;
}

export async function status(file: string, flags: CommonFlags): Promise<void> {
  await onHosts(file, flags, async ({ session, lines }) => {
    const found = await lockedHosts(session, lines);
    if (flags.json) return printDocument('lock status', exitCode(found), { hosts: found });
    for (const one of found) say(printable(`${one.host}: ${sentence(one)}`));
    process.exitCode = exitCode(found);
  });
}

/** Only locks of which nothing is at work any more, unless forced: whoever holds one may be in the middle of something. */
export async function release(file: string, flags: CommonFlags & { readonly force?: boolean }): Promise<void> {
  await onHosts(file, flags, async ({ session, lines }) => {
    const found = await lockedHosts(session, lines);
    const hosts: { readonly host: string; readonly said: string }[] = [];
    for (const one of found) hosts.push({ host: one.host, said: await released(one, lines, flags.force ?? false) });
    const kept = found.some((one) => !flags.force && isAtWork(one));
    const code = kept ? EXIT.locked : exitCode(found.map(({ lock: _, ...rest }) => rest));
    if (flags.json) return printDocument('lock release', code, { hosts });
    for (const { host, said } of hosts) say(printable(`${host}: ${said}`));
    process.exitCode = code;
  });
}

/** As a run that wants the lock sees it: one that has said nothing for long, with nothing at work, is in nobody's hands. */
function isAtWork({ lock, running }: Pick<HostLock, 'lock' | 'running'>): boolean {
  return lock !== undefined && (running.length > 0 || isLive(lock));
}

async function released({ host, lock, running, why }: HostLock, lines: Lines, force: boolean): Promise<string> {
  const connection = lines.connections.get(host);
  if (why !== undefined || !connection) return why ?? 'not reached';
  if (!lock) return 'there was no lock';
  if (!force && isAtWork({ lock, running })) return `kept, ${sentence({ host, lock, running })}; --force releases it all the same`;
  const { exit } = await runScript(connection, releaseScript(lock.run), { timeout: 30 });
  return exit === 0 ? `released: ${lock.command} by ${lock.who} (run ${lock.run})` : 'somebody else has the lock by now';
}

async function lockedHosts(session: Session, { connections, unreached }: Lines): Promise<readonly HostLock[]> {
  const questions = Object.fromEntries([...connections.keys()].map((host) => [host, {}]));
  const options = { ...session, connections, doing: 'lock', limit: pLimit(session.forks), emit: () => undefined };
  const seen: Readonly<Record<string, Seen>> = { ...unreached, ...(await probeAll(questions, options)) };
  return session.fleet.hosts.flatMap(({ name }): readonly HostLock[] => {
    const one = seen[name];
    if (!one) return [];
    if (!one.reached) return [{ host: name, running: [], why: one.reason }];
    const { lock, running = [] } = one.traces ?? {};
    return [{ host: name, ...(lock && { lock }), running: running.map(({ id }) => id) }];
  });
}

function sentence({ lock, running, why }: HostLock): string {
  if (why !== undefined) return why;
  const work = running.length > 0 ? `; at work: ${running.join(', ')}` : '';
  if (!lock) return running.length > 0 ? `no lock${work}` : 'nobody is at work';
  const life = lock.left ? 'its line has ended' : `last sign of life ${lock.silent} s ago`;
  return `${lock.command} by ${lock.who} (run ${lock.run}, ${life})${work}`;
}

function exitCode(found: readonly HostLock[]): ExitCode {
  if (found.some(({ why }) => why !== undefined)) return EXIT.unreachable;
  return found.some(({ lock }) => lock) ? EXIT.locked : EXIT.done;
}
