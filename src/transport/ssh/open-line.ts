/** From a target to a logged-in line: the way there, the host's key, the login; again when the host was only not ready yet. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { LvsError } from '../../errors.ts';
import type { Dial } from '../transport.ts';
import type { Line } from './connection.ts';
import { credentialsOf } from './credentials.ts';
import { dialHost, mayPass } from './dial.ts';
import { logIn } from './handshake.ts';
import { checkHostKey, type HostKeyPolicy, hostKeyOrder, readKnownHosts } from './host-key.ts';
import { keepAlive } from './keepalive.ts';
import type { Unlock } from './key-files.ts';
import type { SshOptions } from './options.ts';
import { createPatience } from './patience.ts';
import type { Target } from './target.ts';

/** What all lines of a run share. */
export type LineOptions = SshOptions & { readonly unlock?: Unlock };

/** How the byte stream comes about. */
export interface Way {
  /** Absent: plain TCP. */
  readonly dial?: Dial;
  /** Waits for a turn, where there are turns. */
  readonly enter?: () => Promise<{ leave(): void }>;
  /** Keeps what lies on the way until the function that it returns is called. */
  readonly hold?: () => () => void;
}

/**
 * Retries what may pass (refused, no answer, dropped before a key was shown) until `host.ssh.timeout` is over, counted from the first
 * turn; never a refused login or a doubtful key. Throws LvsError, exit code 5 or 4.
 */
export async function openLine(target: Target, way: Way, options: LineOptions): Promise<Line> {
  const letGo = way.hold?.();
  try {
    return await openInTime(target, way, options);
  } catch (error) {
    throw withNotes(error, target);
  } finally {
    letGo?.();
  }
}

async function openInTime(target: Target, way: Way, options: LineOptions): Promise<Line> {
  let deadline: number | undefined;
  let before: unknown;
  for (let attempt = 0; ; attempt++) {
    const turn = await way.enter?.();
    deadline ??= Date.now() + target.host.ssh.timeout * 1000;
    try {
      return await openOnce(target, way, options, deadline);
    } catch (error) {
      if (!mayPass(error)) throw error;
      const wait = backoff(attempt);
      // That the last attempt ran out of time says less than why the one before it failed.
      if (Date.now() >= deadline) throw before ?? error;
      if (Date.now() + wait >= deadline) throw error;
      before = error;
      turn?.leave();
      await pause(wait);
    } finally {
      turn?.leave();
    }
  }
}

/** Milliseconds: twice as long each time, up to two seconds, and never in step with others who were turned away together. */
function backoff(attempt: number): number {
  return Math.min(2000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2);
}

async function openOnce(target: Target, way: Way, options: LineOptions, deadline: number): Promise<Line> {
  const { host } = target;
  const left = (): number => Math.max(0, deadline - Date.now());
  const policy = hostKeyPolicy(target, options);
  const patience = createPatience(host.ssh.timeout * 1000, left);
  const agentSocket = options.agentSocket ?? target.agentSocket ?? process.env.SSH_AUTH_SOCK ?? '';
  const credentials = await credentialsOf(target, { ...options, agentSocket, patience });
  const known = readKnownHosts(policy.files);
  const socket = await dialHost(host, way.dial, left());
  const client = new ssh2.Client();
  const config = { algorithms: { serverHostKey: hostKeyOrder(known, host, target.alias) } };
  const checkKey = (key: Buffer): void => checkHostKey(host, key, known, policy);
  try {
    await logIn(client, socket, { host, credentials, checkKey, config, patience });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  keepAlive(client, socket, options.keepalive ?? { interval: target.keepalive ?? 5, misses: 3 });
  return { host, client, socket };
}

function hostKeyPolicy(target: Target, options: LineOptions): HostKeyPolicy {
  const usual = target.knownHosts ?? [join(homedir(), '.ssh', 'known_hosts')];
  const files = options.knownHosts ?? [...usual, '/etc/ssh/ssh_known_hosts'];
  const writeTo = options.writeTo ?? files[0] ?? join(homedir(), '.ssh', 'known_hosts');
  const acceptNew = options.acceptNew ?? target.acceptNew;
  return { files: [...files, writeTo], writeTo, acceptNew, ...(target.alias !== undefined && { alias: target.alias }) };
}

/** What was passed over in the configuration may be why it failed. */
function withNotes(error: unknown, { notes }: Target): unknown {
  if (!(error instanceof LvsError) || notes.length === 0) return error;
  const hint = [error.hint, ...notes].filter(Boolean).join('; ');
  const { code, exitCode, where, others, cause } = error;
  return new LvsError(error.message, { code, exitCode, hint, others, ...(where && { where }), ...(cause !== undefined && { cause }) });
}
