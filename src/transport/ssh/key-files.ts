/** Private keys in files: what can be told without a passphrase, and what is asked for once. */
import { readFileSync } from 'node:fs';
import ssh2, { type ParsedKey } from 'ssh2';
import { EXIT, LvsError } from '../../errors.ts';

export type KeyFile =
  | { readonly kind: 'key'; readonly text: Buffer; readonly publicHalf: Buffer }
  /** `publicHalf` is absent where neither the file nor FILE.pub tells it. */
  | { readonly kind: 'encrypted'; readonly text: Buffer; readonly publicHalf?: Buffer; readonly cause: Error }
  | { readonly kind: 'missing' | 'unusable'; readonly cause: Error };

export function readKeyFile(file: string): KeyFile {
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    return { kind: cause.code === 'ENOENT' ? 'missing' : 'unusable', cause };
  }
  const parsed = parse(text);
  if (!(parsed instanceof Error)) {
    return parsed.isPrivateKey()
      ? { kind: 'key', text, publicHalf: parsed.getPublicSSH() }
      : { kind: 'unusable', cause: new Error('it is a public key') };
  }
  if (!/passphrase/i.test(parsed.message)) return { kind: 'unusable', cause: parsed };
  const publicHalf = publicHalfOf(text) ?? publicHalfBeside(file);
  return { kind: 'encrypted', text, cause: parsed, ...(publicHalf && { publicHalf }) };
}

function parse(text: Buffer, passphrase?: string): ParsedKey | Error {
  const parsed: ParsedKey | Error | readonly ParsedKey[] = ssh2.utils.parseKey(text, passphrase);
  return [parsed].flat()[0] ?? new Error('it holds no key');
}

const magic = 'openssh-key-v1\0';

/** OpenSSH's own format says the public half in the clear (PROTOCOL.key): cipher, kdf, its options, number of keys, public key. */
function publicHalfOf(text: Buffer): Buffer | undefined {
  const [, base64 = ''] = /^-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text.toString('latin1').trim()) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  if (!bytes.toString('latin1').startsWith(magic)) return undefined;
  let at = magic.length;
  const next = (): Buffer => {
    const length = bytes.readUInt32BE(at);
    at += 4 + length;
    return bytes.subarray(at - length, at);
  };
  try {
    for (let field = 0; field < 3; field++) next();
    at += 4;
    return next();
  } catch {
    return undefined;
  }
}

function publicHalfBeside(file: string): Buffer | undefined {
  try {
    const parsed = parse(readFileSync(`${file}.pub`));
    return parsed instanceof Error ? undefined : parsed.getPublicSSH();
  } catch {
    return undefined;
  }
}

/** Opens encrypted keys. A passphrase is asked once per file, one question at a time, and not kept: the opened key is. */
export type Unlock = (file: string, text: Buffer) => Promise<ParsedKey>;

/** `unlock` rejects with what `ask` rejects with, or LvsError `ssh.key` (exit 4) when the passphrase is wrong. */
export function createUnlock(ask: (file: string) => Promise<string>): Unlock {
  const opened = new Map<string, Promise<ParsedKey>>();
  let before: Promise<unknown> = Promise.resolve();
  const open = async (file: string, text: Buffer): Promise<ParsedKey> => {
    const parsed = parse(text, await ask(file));
    if (parsed instanceof Error) throw wrongPassphrase(file, parsed);
    return parsed;
  };
  return (file, text) => {
    const found = opened.get(file) ?? before.then(() => open(file, text));
    opened.set(file, found);
    before = found.catch(() => undefined);
    return found;
  };
}

function wrongPassphrase(file: string, cause: Error): LvsError {
  return new LvsError(`the passphrase does not open the key ${file}`, {
    code: 'ssh.key',
    exitCode: EXIT.badInput,
    hint: `try again, or unlock it for the agent with ssh-add ${file}`,
    cause,
  });
}
