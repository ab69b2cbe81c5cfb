/** The encrypting side of ansible-vault, for files of a test's own. */
import { createCipheriv, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

export function encryptVault(text: string, password: string, header = '$ANSIBLE_VAULT;1.1;AES256'): string {
  const salt = randomBytes(32);
  const derived = pbkdf2Sync(password, salt, 10_000, 80, 'sha256');
  // Node pads no counter mode; ansible-vault does.
  const plain = Buffer.from(text);
  const pad = 16 - (plain.length % 16);
  const cipher = createCipheriv('aes-256-ctr', derived.subarray(0, 32), derived.subarray(64));
  const sealed = Buffer.concat([cipher.update(plain), cipher.update(Buffer.alloc(pad, pad))]);
  const seal = createHmac('sha256', derived.subarray(32, 64)).update(sealed).digest('hex');
  const body = Buffer.from([salt.toString('hex'), seal, sealed.toString('hex')].join('\n')).toString('hex');
  return `${header}\n${(body.match(/.{1,80}/g) ?? []).join('\n')}\n`;
}
