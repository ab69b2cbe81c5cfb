/**
 * A root shell through sudo, on the channel that then carries the script. Nothing but the password is sent before the shell has said
 * that it is there: whatever came early, `sh` would run as a command.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Transform } from 'node:stream';
import { EXIT, LvsError } from '../errors.ts';
import type { Host } from '../model.ts';
import type { Filters, Wire } from './channel.ts';
import { deferred } from './deferred.ts';

export interface SudoMarks {
  /** What the login shell is given: one line of words and one quoted word that sh, bash, fish and csh all read alike. */
  readonly command: string;
  /** What sudo prints when it asks. */
  readonly prompt: string;
  /** What the root shell prints on both outputs before it reads its script. */
  readonly ready: string;
}

/**
 * Neither prompt nor mark stands in the command as it is printed (`%%` becomes `%`, the empty quotes vanish), so a login shell that
 * echoes its commands cannot be taken for sudo asking or for a shell that is ready.
 */
export function sudoMarks(nonce = randomBytes(12).toString('hex')): SudoMarks {
  const mark = `lvsctl-root""${nonce}`;
  return {
    command: `sudo -S -p lvsctl-ask%%${nonce} /bin/sh -c 'echo ${mark}; echo ${mark} >&2; exec /bin/sh'`,
    prompt: `lvsctl-ask%${nonce}`,
    ready: `lvsctl-root${nonce}\n`,
  };
}

/** Far more than any greeting; what a login prints beyond it is forgotten from the front. */
const heldMost = 64 * 1024;

/**
 * Passes on what follows `mark`, in whatever pieces it comes, and drops the rest. `look` sees what is held so far, after every piece that
 * does not complete the mark, and returns what to go on holding; `found` is called once.
 */
export function dropThrough(mark: string, found: () => void, look: (held: Buffer) => Buffer = (held) => held): Transform {
  let held: Buffer = Buffer.alloc(0);
  let open = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (open) return done(null, chunk);
      held = Buffer.concat([held, chunk]);
      const at = held.indexOf(mark);
      if (at < 0) {
        held = look(held).subarray(-heldMost);
        return done();
      }
      open = true;
      found();
      const rest = held.subarray(at + Buffer.byteLength(mark));
      held = Buffer.alloc(0);
      return rest.length > 0 ? done(null, rest) : done();
    },
  });
}

export interface SudoOptions {
  readonly password: (() => Promise<string>) | undefined;
  /** Seconds for sudo to ask, and again for it to answer; the time a person takes to type does not count. */
  readonly timeout: number;
}

/** The filters for the channel, and the promise that it is a root shell by now. Rejects with LvsError, exit code 5. */
export function becomeRoot(wire: Wire, host: Host, marks: SudoMarks, options: SudoOptions): { filters: Filters; ready: Promise<void> } {
  let said = '';
  let missing = 2;
  const { promise, resolve, reject } = deferred<void>();
  const clock = startClock(options.timeout, () => reject(noRoot(host, `sudo did not answer within ${options.timeout} s`, said)));
  const answer = answerOnce(wire, host, options, clock);
  const found = (): void => {
    missing -= 1;
    if (missing === 0) resolve();
  };
  const look = (held: Buffer): Buffer => {
    said = held.toString('utf8');
    const at = held.indexOf(marks.prompt);
    if (at < 0) return held;
    answer().catch(reject);
    return held.subarray(at + Buffer.byteLength(marks.prompt));
  };
  const filters = { stdout: dropThrough(marks.ready, found), stderr: dropThrough(marks.ready, found, look) };
  const gone = Promise.all([wire.over, ...[wire.stdout, wire.stderr].map((stream) => once(stream, 'end'))]);
  gone.then(() => reject(noRoot(host, 'sudo gave no root shell', said)), reject);
  return { filters, ready: promise.finally(clock.stop) };
}

/** Sends the password when sudo asks first; being asked again means that it was wrong. */
function answerOnce(wire: Wire, host: Host, options: SudoOptions, clock: Clock): () => Promise<void> {
  let asked = false;
  return async () => {
    if (asked) throw badPassword(host, `sudo does not accept the password of ${host.ssh.user}`);
    if (!options.password) throw badPassword(host, `sudo asks for the password of ${host.ssh.user}`);
    asked = true;
    clock.stop();
    const password = await options.password();
    clock.start();
    wire.stdin.write(`${password}\n`);
  };
}

interface Clock {
  readonly start: () => void;
  readonly stop: () => void;
}

function startClock(seconds: number, ring: () => void): Clock {
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(ring, seconds * 1000);
  };
  start();
  return { start, stop: () => clearTimeout(timer) };
}

function badPassword(host: Host, message: string): LvsError {
  return new LvsError(message, {
    code: 'ssh.sudo-password',
    exitCode: EXIT.unreachable,
    where: { host: host.name },
    hint: 'give it with --ask-become-pass',
  });
}

function noRoot(host: Host, message: string, said: string): LvsError {
  const last = said.trim().split('\n').slice(-3).join(' / ');
  return new LvsError(`${message}${last ? `: ${last}` : ''}`, {
    code: 'ssh.sudo-refused',
    exitCode: EXIT.unreachable,
    where: { host: host.name },
    hint: `${host.ssh.user} must be allowed to run a shell as root with sudo`,
  });
}
