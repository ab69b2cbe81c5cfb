import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../machine/run.ts';

export interface KeyPair {
  readonly file: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

/** Makes an Ed25519 key pair without a passphrase in `directory`, as `NAME` and `NAME.pub`. */
export async function makeKey(directory: string, name: string, comment: string, signal?: AbortSignal): Promise<KeyPair> {
  const file = join(directory, name);
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file], { signal });
  return { file, privateKey: await readFile(file, 'utf8'), publicKey: await readFile(`${file}.pub`, 'utf8') };
}
