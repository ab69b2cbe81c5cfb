/** A lock on one host, for as long as one channel lasts. */
import { createInterface } from 'node:readline';
import { EXIT, LvsError } from '../../errors.ts';
import type { Lock } from '../../model.ts';
import { newNonce } from '../../sh/frame.ts';
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

/** As `lockScript`. Throws LvsError `ssh.lost` when the line breaks before the host has decided. */
export async function holdLock(connection: Connection, owner: LockOwner, before: Before | undefined): Promise<Held> {
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
  channel.stdin.write(lockScript(owner, nonce, before, Math.floor(Date.now() / 1000)));
  const answer = await decided;
  if (!answer && (await channel.ended).exit === null) throw broke(connection.host.name);
  const beat = setInterval(() => channel.stdin.write('beat\n'), pulse).unref();
  const ended = channel.ended.then(({ exit }) => {
    clearInterval(beat);
    return exit === 0;
  });
  return { channel, answer, broken, ended, complaint: () => complaint, lost: () => gone };
}

function broke(host: string): LvsError {
  return new LvsError('the line broke', { code: 'ssh.lost', exitCode: EXIT.unreachable, where: { host } });
}
