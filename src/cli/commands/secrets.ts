/** `lvsctl secrets edit`, `encrypt`, `rekey` and `keygen`: the encrypted file of an inventory. No value is ever printed. */
import { existsSync, readFileSync } from 'node:fs';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { EXIT, formatError, LvsError } from '../../errors.ts';
import { loadInventory } from '../../inventory/load.ts';
import { encryptAge, type Lock, locksOf } from '../../secrets/age.ts';
import { complaint } from '../../secrets/complaint.ts';
import { editSecrets } from '../../secrets/edit-file.ts';
import { identityFile, recipientsOf } from '../../secrets/identity.ts';
import { openForRekeying, type SecretsFile } from '../../secrets/open.ts';
import { newPassphrase } from '../../secrets/passwords.ts';
import { readBytes } from '../../secrets/read-file.ts';
import { withRecipients } from '../../secrets/recipients.ts';
import { parseValues } from '../../secrets/values.ts';
import { createFile, replaceFile } from '../../secrets/write-file.ts';
import { say, sayAside as warn } from '../../view/say.ts';
import { askSecret } from '../ask-secret.ts';

export interface LockFlags {
  readonly recipient?: readonly string[];
  readonly passphrase?: boolean;
}

export interface EncryptFlags extends LockFlags {
  readonly output?: string;
}

export async function edit(inventory: string): Promise<void> {
  const from = fileOf(inventory);
  const { made, secrets } = await editSecrets(from, { ask: asking(), again: askAgain, warn });
  const became = { new: 'encrypted for you alone', changed: 'encrypted for whom it was before', nothing: 'nothing was changed' };
  say(`${from.file}: ${counted(secrets)}, ${became[made]}`);
}

export async function encrypt(file: string, flags: EncryptFlags): Promise<void> {
  const text = (file === '-' ? readFileSync(0) : readBytes(file, { own: true })).toString('utf8');
  const { size } = parseValues(text, { file });
  const output = flags.output ?? `${file.replace(/\.ya?ml$/, '')}.age`;
  if (file === '-' && flags.output === undefined)
    throw complaint('output', 'standard input has no name to make one of', undefined, 'name the file with -o');
  if (existsSync(output))
    throw complaint('exists', 'this file is there already, and is left as it is', output, '"lvsctl secrets edit" changes it');
  const lock = await lockOf(flags, output);
  createFile(output, await encryptAge(withRecipients(text, lock), lock));
  say(
    `${output}: ${counted(size)}, encrypted for ${readers(lock)}${file === '-' ? '' : `; ${file} is still there in clear: take it away`}`,
  );
}

export async function rekey(inventory: string, flags: LockFlags): Promise<void> {
  const from = fileOf(inventory);
  if (!flags.recipient && !flags.passphrase)
    throw complaint('recipient', 'nobody is named to encrypt for', undefined, 'say --recipient age1… for each, or --passphrase');
  const bytes = readBytes(from.file);
  if (flags.passphrase && process.env.LVSCTL_SECRETS_PASSPHRASE_FILE && locksOf(bytes, from.file).includes('scrypt')) {
    throw complaint(
      'passphrase',
      'the new passphrase would be the old one',
      from.file,
      'unset LVSCTL_SECRETS_PASSPHRASE_FILE, to be asked for both',
    );
  }
  const text = await openForRekeying(bytes, from, asking());
  const lock = await lockOf(flags, from.file);
  replaceFile(from.file, await encryptAge(withRecipients(text, lock), lock));
  const own = 'recipients' in lock ? await recipientsOf(identityFile(from.identity)).catch(() => []) : [];
  if ('recipients' in lock && !own.some((one) => lock.recipients.includes(one)))
    warn('you are not among them: you cannot read it any more');
  say(
    `${from.file}: encrypted for ${readers(lock)}; whoever could read it before still knows these values: change what they must not know`,
  );
}

export async function keygen(flags: { readonly output?: string }): Promise<void> {
  const { file } = flags.output === undefined ? identityFile(undefined) : { file: flags.output };
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  createFile(file, `# created: ${new Date().toISOString()}\n# public key: ${recipient}\n${identity}\n`);
  warn(`${file} holds your secret key: keep a copy where nobody else reads it`);
  say(recipient);
}

function fileOf(inventory: string): SecretsFile {
  const { secrets: from } = loadInventory(inventory);
  if (from) return from;
  throw new LvsError('this inventory names no file of secrets', {
    code: 'secrets.no-file',
    exitCode: EXIT.badInput,
    where: { file: inventory },
    hint: 'write secrets: { file: secrets.age } into it',
  });
}

/** Unless anybody is named: for the operator alone. */
async function lockOf({ recipient, passphrase }: LockFlags, file: string): Promise<Lock> {
  if (recipient && passphrase)
    throw complaint(
      'recipient',
      'a file is either for recipients or for a passphrase',
      undefined,
      'say one of --recipient and --passphrase',
    );
  if (!passphrase) return { recipients: [...new Set(recipient ?? (await recipientsOf(identityFile(undefined))))] };
  return { passphrase: await newPassphrase(file, asking()) };
}

function readers(lock: Lock): string {
  return 'passphrase' in lock
    ? 'whoever knows the passphrase'
    : lock.recipients.length === 1
      ? '1 recipient'
      : `${lock.recipients.length} recipients`;
}

function counted(count: number): string {
  return count === 1 ? '1 secret' : `${count} secrets`;
}

function asking(): typeof askSecret | undefined {
  return process.stdin.isTTY ? askSecret : undefined;
}

async function askAgain(fault: LvsError): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  warn(formatError(fault));
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return !/^n/i.test((await terminal.question('edit it again? [Y/n] ')).trim());
  } catch {
    // Ctrl-C there means no, and what was typed before is kept.
    return false;
  } finally {
    terminal.close();
  }
}
