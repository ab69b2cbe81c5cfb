/** Where the operator's age identity lies, and what stands in it. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { identityToRecipient } from 'age-encryption';
import { complaint } from './complaint.ts';
import { expandHome, readBytes } from './read-file.ts';

export interface IdentityFile {
  readonly file: string;
  /** Said by the operator, not by an inventory. */
  readonly own: boolean;
}

/** `$LVSCTL_AGE_IDENTITY`, else what the inventory says, else ~/.config/lvsctl/age.key. */
export function identityFile(said: string | undefined): IdentityFile {
  const { LVSCTL_AGE_IDENTITY, XDG_CONFIG_HOME } = process.env;
  if (LVSCTL_AGE_IDENTITY) return { file: expandHome(LVSCTL_AGE_IDENTITY), own: true };
  if (said !== undefined) return { file: said, own: false };
  return { file: join(XDG_CONFIG_HOME || join(homedir(), '.config'), 'lvsctl', 'age.key'), own: true };
}

/** A key pair of age, each half as people write it. */
export interface Identity {
  readonly secret: string;
  readonly recipient: string;
}

/** The keys in it, one on a line. Throws LvsError (exit 4), also where others may read them. */
export async function readIdentities({ file, own }: IdentityFile): Promise<readonly Identity[]> {
  const lines = readBytes(file, { own, private: true }).toString('utf8').split(/\r?\n/);
  const keys = lines
    .map((text, index) => ({ text: text.trim(), line: index + 1 }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'));
  if (keys.length === 0) throw noIdentity('there is no age identity in this file', file);
  return Promise.all(keys.map(async ({ text, line }) => ({ secret: text, recipient: await recipientOf(text, line, file) })));
}

/** The library's own complaint repeats the key. */
async function recipientOf(secret: string, line: number, file: string): Promise<string> {
  if (!/^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+$/.test(secret)) throw noIdentity(`line ${line} of this file is no age identity`, file);
  try {
    return await identityToRecipient(secret);
  } catch {
    throw noIdentity(`the age identity in line ${line} of this file is misspelt`, file);
  }
}

function noIdentity(found: string, file: string): Error {
  return complaint('identity', found, file, 'it begins with AGE-SECRET-KEY-1; "lvsctl secrets keygen" makes one');
}

/** The public keys of the identities. Throws LvsError (exit 4). */
export async function recipientsOf(identity: IdentityFile): Promise<readonly string[]> {
  return (await readIdentities(identity)).map(({ recipient }) => recipient);
}
