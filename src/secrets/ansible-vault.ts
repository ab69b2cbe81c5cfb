/** Files that ansible-vault has encrypted, format 1.1 and 1.2 (AES256). */
import { createDecipheriv, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { complaint } from './complaint.ts';

const marker = '$ANSIBLE_VAULT;';

export function isVault(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, marker.length)).toString('latin1') === marker;
}

/** The text inside. `file` is for the complaint. Throws LvsError (exit 4). */
export async function decryptVault(bytes: Uint8Array, password: string, file: string): Promise<string> {
  const { salt, seal, sealed } = parse(Buffer.from(bytes).toString('latin1'), file);
  const derived = await promisify(pbkdf2)(password, salt, 10_000, 80, 'sha256');
  // Before anything is decrypted: what was changed, or is opened with another password, is never looked at.
  const right = createHmac('sha256', derived.subarray(32, 64)).update(sealed).digest();
  if (seal.length !== right.length || !timingSafeEqual(seal, right)) {
    throw complaint('vault-password', 'the vault password is wrong, or the file was changed', file, 'try "ansible-vault view" with it');
  }
  const cipher = createDecipheriv('aes-256-ctr', derived.subarray(0, 32), derived.subarray(64, 80));
  return unpadded(Buffer.concat([cipher.update(sealed), cipher.final()]), file).toString('utf8');
}

interface Parts {
  readonly salt: Buffer;
  readonly seal: Buffer;
  readonly sealed: Buffer;
}

/** A header line, then hexadecimal digits of three lines of hexadecimal digits. */
function parse(text: string, file: string): Parts {
  const [header = '', ...lines] = text.trimEnd().split(/\r?\n/);
  const [, version, cipher] = header.trim().split(';');
  if (!['1.1', '1.2'].includes(version ?? '') || cipher !== 'AES256') {
    throw complaint(
      'vault-format',
      'this ansible-vault file is neither of format 1.1 nor 1.2 with AES256',
      file,
      'encrypt it anew with "ansible-vault rekey"',
    );
  }
  const [salt, seal, sealed, ...rest] = (
    unhex(lines.map((line) => line.trim()).join(''))
      ?.toString('latin1')
      .split('\n') ?? []
  ).map(unhex);
  if (!salt || !seal || !sealed || rest.length > 0) throw torn(file);
  return { salt, seal, sealed };
}

function unhex(digits: string): Buffer | undefined {
  return /^(?:[0-9a-f]{2})+$/i.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}

/** PKCS#7, in blocks of 16 bytes. */
function unpadded(padded: Buffer, file: string): Buffer {
  const length = padded.at(-1) ?? 0;
  const right = length >= 1 && length <= 16 && padded.length % 16 === 0 && padded.subarray(-length).every((byte) => byte === length);
  if (!right) throw torn(file);
  return padded.subarray(0, -length);
}

function torn(file: string): Error {
  return complaint('torn', 'this ansible-vault file is torn: its end is missing, or it was changed', file, 'take it from a backup');
}
