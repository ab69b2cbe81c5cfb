import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { armor, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { encryptAge, locksOf } from '../../src/secrets/age.ts';
import { identityFile, readIdentities } from '../../src/secrets/identity.ts';
import { openForEditing, readSecrets } from '../../src/secrets/open.ts';
import { withRecipients } from '../../src/secrets/recipients.ts';

const folder = mkdtempSync(join(tmpdir(), 'lvsctl-age-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const path = (name: string): string => join(folder, name);
const put = (name: string, content: string | Uint8Array, mode = 0o600): string => {
  writeFileSync(path(name), content, { mode });
  chmodSync(path(name), mode);
  return path(name);
};
const [mine, theirs] = [await generateX25519Identity(), await generateX25519Identity()];
const [me, they] = [await identityToRecipient(mine), await identityToRecipient(theirs)];
const identity = put('me.key', `# created: today\n# public key: ${me}\n${mine}\n`);
const said = (work: Promise<unknown>): Promise<string> =>
  work.then(
    (value) => JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value),
    (error: unknown) => {
      if (error instanceof LvsError && error.exitCode === 4) return formatError(error).replaceAll(`${folder}/`, '');
      throw error;
    },
  );
const read = (file: string, key = identity): Promise<string> => said(readSecrets({ file, identity: key }, undefined));
const text = 'vrrp: hunter2x\n';

test('armored or not, for one reader or several', async () => {
  const binary = new Encrypter();
  binary.addRecipient(me);
  expect(await read(put('binary.age', await binary.encrypt(text)))).toBe('{"vrrp":"hunter2x"}');
  const both = await encryptAge(text, { recipients: [they, me] });
  expect(await read(put('both.age', both))).toBe('{"vrrp":"hunter2x"}');
  expect(locksOf(Buffer.from(both), 'f')).toEqual(['X25519', 'X25519']);
});

test('a passphrase, from the file that the environment names or asked for', async () => {
  const encrypter = new Encrypter();
  encrypter.setPassphrase('correct horse');
  encrypter.setScryptWorkFactor(10);
  const file = put('pass.age', armor.encode(await encrypter.encrypt(text)));
  expect(await said(readSecrets({ file }, async () => 'correct horse'))).toBe('{"vrrp":"hunter2x"}');
  expect(await said(readSecrets({ file }, async () => 'hunter2'))).toBe('pass.age: the passphrase is wrong');
  expect(await read(file)).toBe(
    'pass.age: this file wants a passphrase; run it on a terminal, or name a file that holds it in LVSCTL_SECRETS_PASSPHRASE_FILE',
  );
  vi.stubEnv('LVSCTL_SECRETS_PASSPHRASE_FILE', put('passphrase', 'correct horse\n'));
  expect(await read(file)).toBe('{"vrrp":"hunter2x"}');
  put('passphrase', 'correct horse\n', 0o640);
  expect(await read(file)).toBe('passphrase: others may read this file (mode 0640); chmod 600 passphrase');
});

test('somebody else’s file', async () => {
  expect(await read(put('theirs.age', await encryptAge(text, { recipients: [they] })))).toBe(
    'theirs.age: this file is not encrypted for your identity; have somebody who can read it run "lvsctl secrets rekey" with your public key too',
  );
});

test('an identity that others may read, is misspelt, is none, or is not there', async () => {
  const file = put('one.age', await encryptAge(text, { recipients: [me] }));
  for (const mode of [0o640, 0o604, 0o620]) {
    const shown = mode.toString(8).padStart(4, '0');
    expect(await read(file, put('open.key', `${mine}\n`, mode))).toBe(
      `open.key: others may read this file (mode ${shown}); chmod 600 open.key`,
    );
  }
  const hint = '; it begins with AGE-SECRET-KEY-1; "lvsctl secrets keygen" makes one';
  expect(await read(file, put('bad.key', `# x\nhunter2\n`))).toBe(`bad.key: line 2 of this file is no age identity${hint}`);
  expect(await read(file, put('bad.key', '# x\n'))).toBe(`bad.key: there is no age identity in this file${hint}`);
  expect(await read(file, put('bad.key', `${mine.slice(0, -1)}${mine.endsWith('Q') ? 'P' : 'Q'}\n`))).toBe(
    `bad.key: the age identity in line 1 of this file is misspelt${hint}`,
  );
  expect(await read(file, path('none.key'))).toBe('none.key: there is no such file');
});

test('the operator’s own identity outranks the inventory’s', async () => {
  vi.stubEnv('LVSCTL_AGE_IDENTITY', identity);
  expect(await readIdentities(identityFile('/nonexistent'))).toEqual([{ secret: mine, recipient: me }]);
  vi.stubEnv('LVSCTL_AGE_IDENTITY', '');
  vi.stubEnv('XDG_CONFIG_HOME', '/x');
  expect(identityFile(undefined).file).toBe('/x/lvsctl/age.key');
});

test('a torn file, a changed one, and what is none, are refused without a word of what stands there', async () => {
  const whole = await encryptAge(text, { recipients: [me] });
  const torn = 'f.age: this age file is torn: its end is missing, or it was changed; take it from a backup';
  const lines = whole.split('\n');
  expect(await read(put('f.age', whole.slice(0, 200)))).toBe(torn);
  expect(await read(put('f.age', [...lines.slice(0, 4), ...lines.slice(5)].join('\n')))).toBe(torn);
  const bytes = armor.decode(whole);
  for (const at of [bytes.length - 1, bytes.length - 40]) {
    const other = bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
    expect(await read(put('f.age', other)), `byte ${at}`).toBe(torn);
  }
  const none = 'f.age: this is neither an age file nor one of ansible-vault; "lvsctl secrets encrypt" makes one';
  for (const content of ['vrrp: hunter2x\n', '', 'root:$6$hash:19000::\n']) expect(await read(put('f.age', content))).toBe(none);
});

test('what an inventory may name is a plain file of some size, or is not read', async () => {
  expect(await read('/dev/zero')).toBe('/dev/zero: this is no plain file');
  expect(await read('/dev/tty')).toMatch(/^\/dev\/tty: this (is no plain file|file cannot be read)$/);
  expect(await read(folder)).toContain('this is no plain file');
  expect(await read(put('big.age', Buffer.alloc(1_000_001)))).toBe('big.age: this file has 1000001 bytes, and at most 1000000 are read');
  expect(await read('/proc/self/environ')).toBe(
    '/proc/self/environ: this is neither an age file nor one of ansible-vault; "lvsctl secrets encrypt" makes one',
  );
});

test('whom the next version is for: who the file says; the one reader; else it is not written', async () => {
  const open = async (content: string): Promise<string> =>
    said(openForEditing(Buffer.from(content), { file: 'f.age', identity }, undefined).then(({ lock }) => lock));
  const labelled = withRecipients(text, { recipients: [me, they] });
  expect(await open(await encryptAge(labelled, { recipients: [me, they] }))).toBe(JSON.stringify({ recipients: [me, they] }));
  expect(await open(await encryptAge(text, { recipients: [me] }))).toBe(JSON.stringify({ recipients: [me] }));
  const hint = '; name them all, once: lvsctl secrets rekey INVENTORY --recipient age1… --recipient age1…';
  expect(await open(await encryptAge(text, { recipients: [me, they] }))).toBe(
    `f.age: this file is for 2 recipients, and does not say who they are${hint}`,
  );
  expect(await open(await encryptAge(withRecipients(text, { recipients: [me] }), { recipients: [me, they] }))).toBe(
    `f.age: this file is for 2 recipients, and says only of 1 who they are${hint}`,
  );
});

test('a secret key in the place of a public one is not repeated', async () => {
  expect(await said(encryptAge(text, { recipients: [mine] }))).toBe(
    'what was given is no public key of age; it begins with age1; "lvsctl secrets keygen" makes one',
  );
  expect(await said(encryptAge(text, { recipients: ['age1hunter'] }))).toContain('"age1hunter" is no public key of age');
  expect(statSync(identity).mode & 0o777).toBe(0o600);
  expect(readFileSync(identity, 'utf8')).toContain(me);
});
