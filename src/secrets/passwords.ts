/** Passphrases and vault passwords: from the file that the environment names, else asked for. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { complaint } from './complaint.ts';
import { expandHome, readBytes } from './read-file.ts';

/** Asks on the terminal, without an echo; absent where nobody is there. */
export type Ask = (question: string) => Promise<string>;

/** Throws LvsError (exit 4). */
export async function agePassphrase(file: string, ask: Ask | undefined): Promise<string> {
  const named = process.env.LVSCTL_SECRETS_PASSPHRASE_FILE;
  if (named) return line(readBytes(expandHome(named), { own: true, private: true }), named);
  if (ask) return ask(`passphrase of ${file}`);
  throw complaint(
    'no-passphrase',
    'this file wants a passphrase',
    file,
    'run it on a terminal, or name a file that holds it in LVSCTL_SECRETS_PASSPHRASE_FILE',
  );
}

/** For a file that is written: the same, but asked for twice. Throws LvsError (exit 4). */
export async function newPassphrase(file: string, ask: Ask | undefined): Promise<string> {
  if (process.env.LVSCTL_SECRETS_PASSPHRASE_FILE || !ask) return agePassphrase(file, ask);
  const typed = await ask(`new passphrase of ${file}`);
  if (typed === '') throw complaint('passphrase', 'an empty passphrase protects nothing', file);
  if (typed !== (await ask('the same once more'))) throw complaint('passphrase', 'the two passphrases differ', file);
  return typed;
}

/** As Ansible has it: the content of a file, or what a program prints. Throws LvsError (exit 4). */
export async function vaultPassword(file: string, ask: Ask | undefined): Promise<string> {
  const named = process.env.ANSIBLE_VAULT_PASSWORD_FILE;
  if (named) {
    const path = expandHome(named);
    return line(isProgram(path) ? outputOf(path) : readBytes(path, { own: true }), named);
  }
  if (ask) return ask(`vault password of ${file}`);
  throw complaint(
    'no-vault-password',
    'this file wants its vault password',
    file,
    'run it on a terminal, or name a file that holds it in ANSIBLE_VAULT_PASSWORD_FILE',
  );
}

function line(content: Buffer, file: string): string {
  const text = content.toString('utf8').trim();
  if (text === '') throw complaint('empty-password', 'there is no password in this file', file);
  return text;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** It may ask on the terminal itself, so it has the terminal. */
function outputOf(path: string): Buffer {
  const { status, stdout, error } = spawnSync(path.includes('/') ? path : `./${path}`, [], {
    stdio: ['inherit', 'pipe', 'inherit'],
    timeout: 120_000,
  });
  if (status !== 0 || error)
    throw complaint(
      'password-program',
      `this program gave no password (${status === null ? 'it did not run to its end' : `exit ${status}`})`,
      path,
    );
  return stdout;
}
