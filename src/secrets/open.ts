/** The encrypted file of an inventory: which kind it is, and what stands in it. It is decrypted in memory alone. */
import { decryptAge, isAge, type Lock, locksOf } from './age.ts';
import { decryptVault, isVault } from './ansible-vault.ts';
import { complaint } from './complaint.ts';
import { identityFile, readIdentities, recipientsOf } from './identity.ts';
import { type Ask, agePassphrase, vaultPassword } from './passwords.ts';
import { readBytes } from './read-file.ts';
import { sameRecipients, splitRecipients } from './recipients.ts';
import { parseValues } from './values.ts';

/** What an inventory says under `secrets`, with paths as this machine finds them. */
export interface SecretsFile {
  readonly file: string;
  /** Path of the age identity; the operator's own one outranks it. */
  readonly identity?: string;
}

/** Values by name. Throws LvsError (exit 4). */
export async function readSecrets(from: SecretsFile, ask: Ask | undefined): Promise<ReadonlyMap<string, string>> {
  const bytes = readBytes(from.file);
  if (isVault(bytes)) {
    const text = await decryptVault(bytes, await vaultPassword(from.file, ask), from.file);
    return parseValues(text, { file: from.file, shared: true });
  }
  return parseValues((await unlock(bytes, from, ask)).text, from);
}

/** An age file that can be written anew for whom it is for. */
export interface Opened {
  readonly text: string;
  readonly lock: Lock;
}

/** Throws LvsError (exit 4). */
export async function openForEditing(bytes: Buffer, from: SecretsFile, ask: Ask | undefined): Promise<Opened> {
  rejectVault(bytes, from.file);
  const { text, recipients, passphrase } = await unlock(bytes, from, ask);
  if (passphrase !== undefined) return { text, lock: { passphrase } };
  const known = {
    labelled: { text, recipients },
    locks: locksOf(bytes, from.file).length,
    own: await recipientsOf(identityFile(from.identity)),
  };
  return { text, lock: { recipients: sameRecipients(known, from.file) } };
}

/** The text alone, whomever it is for. Throws LvsError (exit 4). */
export async function openForRekeying(bytes: Buffer, from: SecretsFile, ask: Ask | undefined): Promise<string> {
  rejectVault(bytes, from.file);
  return (await unlock(bytes, from, ask)).text;
}

interface Unlocked {
  readonly text: string;
  readonly recipients: readonly string[];
  readonly passphrase?: string;
}

async function unlock(bytes: Buffer, { file, identity }: SecretsFile, ask: Ask | undefined): Promise<Unlocked> {
  if (!isAge(bytes))
    throw complaint('format', 'this is neither an age file nor one of ansible-vault', file, '"lvsctl secrets encrypt" makes one');
  if (!locksOf(bytes, file).includes('scrypt'))
    return splitRecipients(
      await decryptAge(bytes, { identities: (await readIdentities(identityFile(identity))).map(({ secret }) => secret) }, file),
    );
  const passphrase = await agePassphrase(file, ask);
  return { ...splitRecipients(await decryptAge(bytes, { passphrase }, file)), passphrase };
}

function rejectVault(bytes: Buffer, file: string): void {
  if (isVault(bytes))
    throw complaint('vault-edit', 'this is a file of ansible-vault', file, 'lvsctl only reads it: change it with "ansible-vault edit"');
}
