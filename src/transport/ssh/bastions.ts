/** Connections that others go through: one per bastion, shared by all behind it, closed when the last of them has gone. */
import { EXIT, LvsError } from '../../errors.ts';
import { createGate, type Gate } from '../gate.ts';
import type { Dial } from '../transport.ts';
import { forward } from './channel.ts';
import type { ConfigLine } from './config.ts';
import { hangUp, type Line } from './connection.ts';
import { passing, unreachable } from './dial.ts';
import { type LineOptions, openLine, type Way } from './open-line.ts';
import { hopTarget, type Target } from './target.ts';

/** More handshakes at once would make the bastion itself the reason why some of them time out. */
const handshakes = 8;

interface Bastion {
  readonly line: Promise<Line>;
  readonly gate: Gate;
  /** Streams through it, and attempts at one. */
  users: number;
}

/** Finds the way to any target; all that share a bastion share its connection. */
export type Ways = (target: Target) => Way;

export function createWays(options: LineOptions, config: readonly ConfigLine[]): Ways {
  const bastions = new Map<string, Bastion>();
  // The password is that of the hosts: whoever has got hold of a bastion must not be told it.
  const { loginPassword: _, ...forBastions } = options;
  const wayTo = (target: Target): Way => {
    const [hop] = hopsBefore(target, config);
    if (!hop) return options.dial ? { dial: options.dial } : {};
    const key = keyOf(hop, config);
    const hold = (): Bastion => {
      const bastion = bastions.get(key) ?? { line: openLine(hop, wayTo(hop), forBastions), gate: createGate(handshakes), users: 0 };
      if (!bastions.has(key)) watch(bastions, key, bastion);
      bastion.users += 1;
      return bastion;
    };
    return throughBastion(target, hop, hold, (bastion) => letGo(bastions, key, bastion));
  };
  return wayTo;
}

/** A bastion that failed, or has gone, is not offered to the next. */
function watch(bastions: Map<string, Bastion>, key: string, bastion: Bastion): void {
  const forget = (): void => {
    if (bastions.get(key) === bastion) bastions.delete(key);
  };
  bastions.set(key, bastion);
  bastion.line.then(({ client }) => client.once('close', forget), forget);
}

function letGo(bastions: Map<string, Bastion>, key: string, bastion: Bastion): void {
  bastion.users -= 1;
  if (bastion.users > 0) return;
  if (bastions.get(key) === bastion) bastions.delete(key);
  bastion.line.then(hangUp, () => undefined);
}

function throughBastion(target: Target, hop: Target, hold: () => Bastion, release: (bastion: Bastion) => void): Way {
  const enter = async (): Promise<{ leave(): void }> => {
    const bastion = hold();
    try {
      await bastion.line;
      const place = await bastion.gate.enter();
      let inside = true;
      const leave = (): void => {
        if (inside) release(bastion);
        inside = false;
        place.leave();
      };
      return { leave };
    } catch (error) {
      release(bastion);
      throw atHop(error, target, hop);
    }
  };
  const dial: Dial = async (address, port, givenUp) => {
    const bastion = hold();
    let held = true;
    const drop = (): void => {
      if (held) release(bastion);
      held = false;
    };
    // The bastion itself may wait for two minutes until it says that nobody answers.
    givenUp?.addEventListener('abort', drop);
    try {
      const stream = await forward(await bastion.line, address, port);
      return stream.once('close', drop);
    } catch (error) {
      drop();
      throw notForwarded(error, target, hop);
    }
  };
  const keep = (): (() => void) => {
    const bastion = hold();
    return () => release(bastion);
  };
  return { dial, enter, hold: keep };
}

/** RFC 4254, 5.1: 1 is prohibited, 2 is a failed connection; a lost bastion has neither. */
function notForwarded(error: unknown, { host }: Target, hop: Target): LvsError {
  const { message, reason } = error as Error & { readonly reason?: unknown };
  const words = message.replace('(SSH) Channel open failure: ', '');
  if (reason !== 1) return passing(unreachable(host, `${hop.host.name}, through which it goes, says: ${words}`, error));
  return unreachable(host, `${hop.host.name}, through which it goes, may not forward (AllowTcpForwarding, PermitOpen): ${words}`, error);
}

/** The error of a host on the way, as the error of the host that was meant. */
function atHop(error: unknown, target: Target, hop: Target): unknown {
  if (!(error instanceof LvsError)) return error;
  const { message, code, exitCode, hint, others } = error;
  const named = message.startsWith('on the way, at ') ? message : `on the way, at ${hop.host.name}: ${message}`;
  return new LvsError(named, { code, exitCode, where: { host: target.host.name }, others, cause: error, ...(hint && { hint }) });
}

function shown({ host }: Target): string {
  return `${host.ssh.user}@${host.address}:${host.ssh.port}`;
}

/** The same bastion by another way is another connection. */
function keyOf(hop: Target, config: readonly ConfigLine[]): string {
  return [hop, ...hopsBefore(hop, config)].map(shown).join(' through ');
}

/** All hosts on the way, the last one first. Throws LvsError `ssh.config` when it goes round in a circle. */
export function hopsBefore(target: Target, config: readonly ConfigLine[]): readonly Target[] {
  const hops: Target[] = [];
  for (let next = hopBefore(target, config); next; next = hopBefore(next, config)) {
    const circle = [target, ...hops].some((hop) => next !== undefined && shown(hop) === shown(next));
    hops.push(next);
    if (!circle) continue;
    const way = [target, ...hops].map(({ host }) => host.name).join(' ← ');
    throw new LvsError(`ProxyJump goes round in a circle: ${way}`, {
      code: 'ssh.config',
      exitCode: EXIT.badInput,
      where: { host: target.host.name },
      hint: 'say ProxyJump none for the bastion, before the line that is for all hosts',
    });
  }
  return hops;
}

/** Of several in one ProxyJump, those before the last are its way; a single one goes the way that is configured for it. */
function hopBefore({ host, jumps }: Target, config: readonly ConfigLine[]): Target | undefined {
  const last = jumps.at(-1);
  if (!last) return undefined;
  const hop = hopTarget(last, host.ssh.timeout, config);
  return jumps.length > 1 ? { ...hop, jumps: jumps.slice(0, -1) } : hop;
}
