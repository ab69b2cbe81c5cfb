/** Text in age files (age-encryption.org/v1), armored or not; what is written is armored. */
import { armor, Decrypter, Encrypter } from 'age-encryption';
import { complaint } from './complaint.ts';

/** Whom an age file is for. */
export type Lock = { readonly recipients: readonly string[] } | { readonly passphrase: string };

const armored = '-----BEGIN AGE ENCRYPTED FILE-----';
const magic = 'age-encryption.org/v1\n';

export function isAge(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 100)).toString('latin1');
  return start.trimStart().startsWith(armored) || start.startsWith(magic);
}

/** Its kinds of locks, one for each recipient: `X25519`, `scrypt` (a passphrase), … Throws LvsError (exit 4). */
export function locksOf(bytes: Uint8Array, file: string): readonly string[] {
  const [header] = Buffer.from(binary(bytes, file)).toString('latin1').split('\n--- ');
  const kinds = [...(header ?? '').matchAll(/^-> (\S+)/gm)].map(([, kind]) => kind ?? '');
  // Some tools add one that is for nobody, so that readers do not grow brittle.
  return kinds.filter((kind) => !kind.endsWith('-grease'));
}

/** Throws LvsError (exit 4). */
export async function decryptAge(
  bytes: Uint8Array,
  keys: { readonly identities: readonly string[] } | { readonly passphrase: string },
  file: string,
): Promise<string> {
  const decrypter = new Decrypter();
  try {
    if ('passphrase' in keys) decrypter.addPassphrase(keys.passphrase);
    else for (const identity of keys.identities) decrypter.addIdentity(identity);
    return await decrypter.decrypt(binary(bytes, file), 'text');
  } catch (error) {
    if (!/^no identity matched/.test(error instanceof Error ? error.message : '')) throw torn(file);
    if ('passphrase' in keys) throw complaint('passphrase', 'the passphrase is wrong', file);
    throw complaint(
      'wrong-identity',
      'this file is not encrypted for your identity',
      file,
      'have somebody who can read it run "lvsctl secrets rekey" with your public key too',
    );
  }
}

/** Throws LvsError (exit 4) where a recipient is none. */
export async function encryptAge(text: string, lock: Lock): Promise<string> {
  const encrypter = new Encrypter();
  if ('passphrase' in lock) encrypter.setPassphrase(lock.passphrase);
  else for (const recipient of lock.recipients) add(encrypter, recipient);
  return armor.encode(await encrypter.encrypt(text));
}

function add(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch {
    // Somebody may have given the secret key by mistake: then it must not be repeated.
    const shown = recipient.startsWith('age1') ? `"${recipient.slice(0, 20)}${recipient.length > 20 ? '…' : ''}"` : 'what was given';
    throw complaint('recipient', `${shown} is no public key of age`, undefined, 'it begins with age1; "lvsctl secrets keygen" makes one');
  }
}

function binary(bytes: Uint8Array, file: string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  if (text.startsWith(magic)) return bytes;
  try {
    return armor.decode(text);
  } catch {
    throw torn(file);
  }
}

function torn(file: string): Error {
  return complaint('torn', 'this age file is torn: its end is missing, or it was changed', file, 'take it from a backup');
}
