/** Agents: the user's, as it is or with some of its keys only, and one of our own that opens a key file when the host would take it. */
import ssh2, { type BaseAgent, type ParsedKey, type PublicKeyEntry } from 'ssh2';
import type { Unlock } from './key-files.ts';
import type { Patience } from './patience.ts';

/** The public halves that the agent holds; none when it does not answer. */
export function agentKeys(socket: string): Promise<readonly Buffer[]> {
  return new Promise((resolve) => {
    ssh2.createAgent(socket).getIdentities((error, keys) => resolve(error ? [] : (keys ?? []).flatMap(publicHalf)));
  });
}

/** What an agent lists is text, bytes, an entry with either, or a key that is taken apart already. */
function publicHalf(listed: string | Buffer | ParsedKey | PublicKeyEntry): readonly Buffer[] {
  const key = typeof listed === 'object' && 'pubKey' in listed ? listed.pubKey : listed;
  const parsed: ParsedKey | Error | readonly ParsedKey[] = ssh2.utils.parseKey(
    typeof key === 'object' && 'pubKey' in key ? key.pubKey : key,
  );
  const [first] = [parsed].flat();
  return first === undefined || first instanceof Error ? [] : [first.getPublicSSH()];
}

/** The user's agent, of whose keys only `wanted` are shown to a host. */
export function agentWithOnly(socket: string, wanted: readonly Buffer[]): BaseAgent {
  const agent = ssh2.createAgent(socket);
  const all = agent.getIdentities.bind(agent);
  agent.getIdentities = (done) =>
    all((error, keys) =>
      done(
        error,
        keys?.filter((key) => publicHalf(key).some((half) => wanted.some((one) => one.equals(half)))),
      ),
    );
  return agent;
}

export interface LockedKey {
  readonly file: string;
  readonly text: Buffer;
  readonly publicHalf: Buffer;
}

/** Shows the public half; only a host that would let it in makes us ask for the passphrase. */
export function agentThatAsks({ file, text, publicHalf: half }: LockedKey, unlock: Unlock, patience: Patience): BaseAgent {
  return Object.assign(Object.create(ssh2.BaseAgent.prototype) as BaseAgent, {
    getIdentities: (done: (error: undefined, keys: Buffer[]) => void) => done(undefined, [half]),
    sign: (_key: unknown, data: Buffer, options: { readonly hash?: string }, done: (error?: Error, signature?: Buffer) => void) => {
      patience
        .without(() => unlock(file, text))
        .then((key) => done(undefined, key.sign(data, options.hash)))
        .catch(done);
    },
  });
}
