/** A lock on one host, for as long as one channel lasts. */
import { EXIT, LvsError } from '../../errors.ts';
import type { Lock } from '../../model.ts';
import { newNonce } from '../../sh/frame.ts';
import { onLines, readTail } from '../../transport/answers.ts';
import { closeWhenSilent } from '../../transport/silence.ts';
import type { Channel, Connection } from '../../transport/transport.ts';
import { type Before, type LockAnswer, type LockOwner, lockAnswers, lockScript } from './lock-script.ts';

export interface Held {
  readonly channel: Channel;
  /** The first word that decides; undefined when none came. */
  readonly answer: LockAnswer | undefined;
  readonly broken: Lock | undefined;
  /** True when the host itself has ended it. */
  readonly ended: Promise<boolean>;
  readonly complaint: () => string;
  /** Somebody else has taken it away. */
  readonly lost: () => boolean;
}

/** Milliseconds between signs of life. */
const pulse = 5_000;

/** Seconds in which a host decides: it may wait a while for somebody who is gone, one that is wedged must not keep the others locked. */
const deciding = 120;

/** As `lockScript`. Throws LvsError: `ssh.lost` when the line breaks before the host has decided, `lock.silent` when it does not decide. */
export async function holdLock(connection: Connection, owner: LockOwner, before: Before | undefined): Promise<Held> {
  const nonce = newNonce();
  const channel = await connection.shell();
  const parse = lockAnswers(nonce);
  let broken: Lock | undefined;
  let gone = false;
  channel.stdin.on('error', () => undefined);
  const complaints = readTail(channel.stderr);
  const silence = closeWhenSilent(channel, () => deciding);
  const decided = new Promise<LockAnswer | undefined>((resolve) => {
    onLines(channel.stdout, (line) => {
      const said = parse(line);
      if (said?.kind === 'broken') broken = said.lock;
      else if (said?.kind === 'lost') gone = true;
      else if (said) resolve(said);
    });
    void channel.ended.then(() => resolve(undefined));
  });
  channel.stdin.write(lockScript(owner, nonce, before, Math.floor(Date.now() / 1000)));
  const answer = await decided;
  silence.end();
  if (silence.tooLong !== undefined) throw silent(connection.host.name);
  if (!answer && (await channel.ended).exit === null) throw broke(connection.host.name);
  const beat = setInterval(() => channel.stdin.write('beat\n'), pulse).unref();
  const ended = channel.ended.then(({ exit }) => {
    clearInterval(beat);
    return exit === 0;
  });
  return { channel, answer, broken, ended, complaint: () => (complaints().split('\n').at(-1) ?? '').slice(0, 300), lost: () => gone };
}

function silent(host: string): LvsError {
  return new LvsError(`it did not say within ${deciding} s whether it can be locked`, {
    code: 'lock.silent',
    exitCode: EXIT.unreachable,
    where: { host },
    hint: 'nothing was changed there; see what holds it up (a disk that hangs, a process in state D)',
  });
}

function broke(host: string): LvsError {
  return new LvsError('the line broke', { code: 'ssh.lost', exitCode: EXIT.unreachable, where: { host } });
}
