/** What may be shown to a host to be let in, in order, all within one connection. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type AnyAuthMethod, type AuthHandlerMiddleware } from 'ssh2';
import { EXIT, LvsError } from '../errors.ts';
import type { Host } from '../model.ts';

/** One thing to try, and its name for people. */
export interface Credential {
  readonly label: string;
  /** Absent: it cannot be tried, `label` says why. */
  readonly method?: AnyAuthMethod;
}

/**
 * The key file that the host names; without one the agent, then the usual files in ~/.ssh that exist. An encrypted key file that is
 * named gives way to the agent, which may hold it unlocked. Throws LvsError `ssh.key` when a named key is of no use.
 */
export function credentialsOf(host: Host, agentSocket: string | undefined): readonly Credential[] {
  const username = host.ssh.user;
  const agent: readonly Credential[] = agentSocket
    ? [{ label: `agent ${agentSocket}`, method: { type: 'agent', username, agent: agentSocket } }]
    : [];
  if (host.ssh.key !== undefined) {
    const named = namedKey(host, host.ssh.key, agent.length > 0);
    return named.method ? [named] : [named, ...agent];
  }
  const usual = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(homedir(), '.ssh', name));
  return [...agent, ...usual.flatMap((file) => usualKey(file, username))];
}

/** Hands ssh2 one credential after another; `exhausted` is called when there is none left. */
export function tryInOrder(credentials: readonly Credential[], exhausted: () => void): AuthHandlerMiddleware {
  const methods = credentials.flatMap((credential) => credential.method ?? []);
  let position = 0;
  return (_left, _partial, next) => {
    const method = methods[position++];
    if (method) return next(method);
    exhausted();
    next(false as never); // the types lack it: ssh2 ends the attempt
  };
}

type KeyFile = { readonly key: Buffer } | { readonly problem: 'missing' | 'encrypted' | 'unusable'; readonly cause: unknown };

function readKey(file: string): KeyFile {
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (cause) {
    return { problem: (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'unusable', cause };
  }
  const parsed = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) return { problem: /passphrase/i.test(parsed.message) ? 'encrypted' : 'unusable', cause: parsed };
  return [parsed].flat()[0]?.isPrivateKey() ? { key: text } : { problem: 'unusable', cause: new Error('it is a public key') };
}

function usualKey(file: string, username: string): readonly Credential[] {
  const found = readKey(file);
  if ('key' in found) return [{ label: file, method: { type: 'publickey', username, key: found.key } }];
  return found.problem === 'missing' ? [] : [{ label: `${file} (${found.problem}, not tried)` }];
}

function namedKey(host: Host, path: string, hasAgent: boolean): Credential {
  const file = path.replace(/^~(?=\/)/, homedir());
  const found = readKey(file);
  if ('key' in found) return { label: file, method: { type: 'publickey', username: host.ssh.user, key: found.key } };
  if (found.problem === 'encrypted' && hasAgent) return { label: `${file} (encrypted, not tried)` };
  const reason = found.cause instanceof Error ? found.cause.message : String(found.cause);
  throw new LvsError(found.problem === 'encrypted' ? `the key ${file} is encrypted` : `the key ${file} cannot be used: ${reason}`, {
    code: 'ssh.key',
    exitCode: EXIT.badInput,
    where: { host: host.name },
    hint: found.problem === 'encrypted' ? `unlock it for the agent with ssh-add ${file}` : 'name a private key that can be read',
    cause: found.cause,
  });
}
