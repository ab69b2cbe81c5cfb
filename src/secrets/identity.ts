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

/** The keys in it, one on a line. Throws LvsError (exit 4), also where others may read them. */
export function readIdentities({ file, own }: IdentityFile): readonly string[] {
  const lines = readBytes(file, { own, private: true }).toString('utf8').split(/\r?\n/);
  const keys = lines
    .map((text, index) => ({ text: text.trim(), line: index + 1 }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'));
  const strange = keys.find(({ text }) => !/^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+$/.test(text));
  if (strange || keys.length === 0) {
    const found = strange ? `line ${strange.line} of this file is no age identity` : 'there is no age identity in this file';
    throw complaint('identity', found, file, 'it begins with AGE-SECRET-KEY-1; "lvsctl secrets keygen" makes one');
  }
  return keys.map(({ text }) => text);
}

/** The public keys of the identities. Throws LvsError (exit 4) where one is misspelt. */
export async function recipientsOf(identity: IdentityFile): Promise<readonly string[]> {
  const keys = readIdentities(identity);
  try {
    return await Promise.all(keys.map((key) => identityToRecipient(key)));
  } catch {
    throw complaint('identity', 'a key in this file is misspelt', identity.file);
  }
}
