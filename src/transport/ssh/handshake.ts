/** From a byte stream to a logged-in connection, or to the one error that says why not. */
import type { Duplex } from 'node:stream';
import type { Client, ConnectConfig } from 'ssh2';
import { EXIT, LvsError } from '../../errors.ts';
import type { Host } from '../../model.ts';
import { deferred } from '../deferred.ts';
import { type Credential, tryInOrder } from './credentials.ts';
import { passing, unreachable } from './dial.ts';
import type { Patience } from './patience.ts';

export interface Login {
  readonly host: Host;
  readonly credentials: readonly Credential[];
  /** Throws LvsError unless the host's key may be trusted. */
  readonly checkKey: (key: Buffer) => void;
  /** For all of it, but for the time in which a person is asked. */
  readonly patience: Patience;
  readonly config: Pick<ConnectConfig, 'algorithms'>;
}

/**
 * Logs in over `socket`. Throws LvsError, exit code 5: `ssh.host-key-…`, `ssh.refused`, `ssh.unreachable`. Never tries twice; a line that
 * failed before any key was seen (a booting sshd, one that drops connections early: MaxStartups) is marked as passing.
 */
export async function logIn(client: Client, socket: Duplex, login: Login): Promise<void> {
  const { host, credentials } = login;
  const { promise, resolve, reject } = deferred<void>();
  const failures = createFailures(login, reject);
  login.patience.start(() => reject(unreachable(host, `no login within ${host.ssh.timeout} s`)));
  let ready = false;
  client
    .on('ready', () => {
      ready = true;
      resolve();
    })
    .on('handshake', failures.keysExchanged)
    .on('error', (error) => (ready ? socket.destroy() : failures.heard(error)))
    .on('close', () => reject(failures.brokenOff('it closed the connection before the login was done')))
    .on('end', () => socket.destroy());
  client.connect({
    ...login.config,
    sock: socket as never, // the types want a Readable; ssh2 also writes to it
    username: host.ssh.user,
    readyTimeout: 0,
    authHandler: tryInOrder(credentials, failures.exhausted),
    hostVerifier: (key: Buffer): boolean => {
      try {
        login.checkKey(key);
        return true;
      } catch (error) {
        reject(error);
        return false;
      }
    },
  });
  await promise.finally(login.patience.stop);
}

interface Failures {
  readonly keysExchanged: () => void;
  readonly exhausted: () => void;
  readonly heard: (error: Error & { level?: string }) => void;
  readonly brokenOff: (reason: string, cause?: unknown) => LvsError;
}

/** Tells a refused login from a line that does not work, and collects what went wrong on the way. */
function createFailures(login: Login, reject: (error: LvsError) => void): Failures {
  const notes: string[] = [];
  let authenticating = false;
  let exhausted = false;
  const brokenOff = (reason: string, cause?: unknown): LvsError => {
    const error = unreachable(login.host, reason, cause);
    return authenticating ? error : passing(error);
  };
  return {
    brokenOff,
    keysExchanged: () => {
      authenticating = true;
    },
    exhausted: () => {
      exhausted = true;
    },
    heard: (error) => {
      if (error instanceof LvsError) return reject(error); // of the person who was asked for a passphrase
      if (exhausted) return reject(refused(login, notes));
      if (error.level === 'agent' || error.level === 'client-authentication') return void notes.push(error.message);
      // Without a level it is the host's own goodbye: "Too many authentication failures".
      if (authenticating && error.level === undefined) return reject(refused(login, [...notes, error.message]));
      reject(brokenOff(error.message, error));
    },
  };
}

function refused({ host, credentials }: Login, notes: readonly string[]): LvsError {
  const tried = credentials.map((credential) => credential.label).join(', ') || 'nothing, as there is neither an agent nor a key in ~/.ssh';
  const more = notes.length > 0 ? ` (${notes.join('; ')})` : '';
  return new LvsError(`${host.address} port ${host.ssh.port} does not let ${host.ssh.user} in; tried: ${tried}${more}`, {
    code: 'ssh.refused',
    exitCode: EXIT.unreachable,
    where: { host: host.name },
    hint: `put a public key of yours into ${host.ssh.user}'s authorized_keys on the host, or name the right key with ssh.key`,
  });
}
