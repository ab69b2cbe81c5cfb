/** What may be shown to a host to be let in, in order, all within one connection. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { AnyAuthMethod, AuthHandlerMiddleware } from 'ssh2';
import { EXIT, LvsError } from '../../errors.ts';
import type { Host } from '../../model.ts';
import { agentKeys, agentThatAsks, agentWithOnly } from './agent.ts';
import { readKeyFile, type Unlock } from './key-files.ts';
import { passwordMethod } from './login-password.ts';
import type { Patience } from './patience.ts';
import type { Target } from './target.ts';

/** One thing to try, and its name for people. */
export interface Credential {
  readonly label: string;
  /** Absent: it cannot be tried, `label` says why. A function is told what the host still takes; null before anything was tried. */
  readonly method?: AnyAuthMethod | ((left: readonly string[] | null) => AnyAuthMethod | undefined);
}

/** What helps to come by credentials. */
export interface Helpers {
  /** Socket of the agent; empty: none. */
  readonly agentSocket: string;
  /** Absent: there is nobody who could be asked for a passphrase. */
  readonly unlock?: Unlock;
  readonly loginPassword?: () => Promise<string>;
  readonly patience: Patience;
}

type Wanted = Pick<Target, 'host' | 'identityFiles' | 'identitiesOnly'>;

/**
 * The key file that the inventory names; else the files of the configuration and the agent; else the agent, then the usual files in
 * ~/.ssh that exist; at last the password. An encrypted file gives way to the agent that holds it; its passphrase is asked for only when
 * the host would take the key. Throws LvsError `ssh.key` when a key that the inventory names is of no use.
 */
export async function credentialsOf(wanted: Wanted, helpers: Helpers): Promise<readonly Credential[]> {
  const { host } = wanted;
  const keys = await keyCredentials(wanted, helpers);
  if (!helpers.loginPassword) return keys;
  return [...keys, { label: 'password', method: passwordMethod(host.ssh.user, await helpers.loginPassword()) }];
}

async function keyCredentials({ host, identityFiles, identitiesOnly }: Wanted, helpers: Helpers): Promise<readonly Credential[]> {
  const tools = { ...helpers, username: host.ssh.user, held: helpers.agentSocket === '' ? [] : await agentKeys(helpers.agentSocket) };
  const agent = agentCredentials(tools);
  if (host.ssh.key !== undefined) {
    const named = namedKey(host, host.ssh.key, tools);
    return named.method ? [named] : [named, ...agent];
  }
  if (identityFiles.length === 0) return [...agent, ...usualFiles().flatMap((file) => fileCredential(file, tools))];
  const files = identityFiles.flatMap((file) => fileCredential(file, tools));
  return [...files, ...(identitiesOnly ? agentCredentials(tools, identityFiles.flatMap(publicHalves)) : agent)];
}

function usualFiles(): readonly string[] {
  return ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(homedir(), '.ssh', name));
}

/** Hands ssh2 one credential after another; `exhausted` is called when there is none left. */
export function tryInOrder(credentials: readonly Credential[], exhausted: () => void): AuthHandlerMiddleware {
  const methods = credentials.flatMap((credential) => credential.method ?? []);
  let position = 0;
  return (left: readonly string[] | null, _partial, next) => {
    while (position < methods.length) {
      const method = methods[position];
      const ready = typeof method === 'function' ? method(left) : method;
      if (ready?.type !== 'none') position += 1;
      if (ready) return next(ready);
    }
    exhausted();
    next(false as never); // the types lack it: ssh2 ends the attempt
  };
}

interface Tools extends Helpers {
  readonly username: string;
  /** Public halves of the agent's keys. */
  readonly held: readonly Buffer[];
}

/** The agent, with all its keys or only with some; none without an agent. */
function agentCredentials({ agentSocket, username }: Tools, only?: readonly Buffer[]): readonly Credential[] {
  if (agentSocket === '') return [];
  const agent = only ? agentWithOnly(agentSocket, only) : agentSocket;
  return [{ label: `agent ${agentSocket}`, method: { type: 'agent', username, agent } }];
}

/** Also of a lone public key: it picks one of the agent's. */
function publicHalves(file: string): readonly Buffer[] {
  return [file, `${file}.pub`].flatMap((one) => {
    const found = readKeyFile(one);
    return 'publicHalf' in found && found.publicHalf ? [found.publicHalf] : [];
  });
}

/** A file that need not be of use. */
function fileCredential(file: string, tools: Tools): readonly Credential[] {
  const { username, unlock, patience } = tools;
  const found = readKeyFile(file);
  if (found.kind === 'missing') return [];
  if (found.kind === 'key') return [{ label: file, method: { type: 'publickey', username, key: found.text } }];
  const half = found.kind === 'encrypted' ? found.publicHalf : undefined;
  const isHeld = half !== undefined && tools.held.some((key) => key.equals(half));
  if (found.kind !== 'encrypted' || !half || !unlock || isHeld) return [{ label: `${file} (${found.kind}, not tried)` }];
  const agent = agentThatAsks({ file, text: found.text, publicHalf: half }, unlock, patience);
  return [{ label: file, method: { type: 'agent', username, agent } }];
}

function namedKey(host: Host, path: string, tools: Tools): Credential {
  const file = path.replace(/^~(?=\/)/, homedir());
  const [credential] = fileCredential(file, tools);
  const found = readKeyFile(file);
  const isEncrypted = found.kind === 'encrypted';
  if (credential?.method || (credential && isEncrypted && tools.agentSocket !== '')) return credential;
  const cause = 'cause' in found ? found.cause : undefined;
  throw new LvsError(isEncrypted ? `the key ${file} is encrypted` : `the key ${file} cannot be used: ${cause?.message}`, {
    code: 'ssh.key',
    exitCode: EXIT.badInput,
    where: { host: host.name },
    hint: isEncrypted ? `unlock it for the agent with ssh-add ${file}` : 'name a private key that can be read',
    cause,
  });
}
