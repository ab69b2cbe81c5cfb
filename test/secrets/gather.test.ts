/** Which source a value comes from, and what is said where it comes from none. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { encryptAge } from '../../src/secrets/age.ts';
import { askCommand, secretCommand } from '../../src/secrets/ask-command.ts';
import { gatherSecrets, type Wanted } from '../../src/secrets/gather.ts';
import { sourcesOf } from '../../src/secrets/sources.ts';
import { encryptVault } from '../support/vault.ts';

const folder = mkdtempSync(join(tmpdir(), 'lvsctl-gather-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());
const path = (name: string): string => join(folder, name);

const secret = await generateX25519Identity();
writeFileSync(path('key'), `${secret}\n`, { mode: 0o600 });
const text = 'one: from file\ntwo: from file\nthree: short\n';
writeFileSync(path('s.age'), await encryptAge(text, { recipients: [await identityToRecipient(secret)] }));
writeFileSync(path('vault.yml'), encryptVault(`${text}other: [1]\n`, 'correct horse'));
writeFileSync(path('give'), '#!/bin/sh\necho "$2" >>"$(dirname "$0")/asked"\n[ "$2" = absent ] && exit 1\nprintf "from %s\\n" "$1"\n');
chmodSync(path('give'), 0o755);
const age = { file: path('s.age'), identity: path('key') };
const vault = { file: path('vault.yml') };

const gathered = (needed: readonly string[], more: Partial<Wanted> = {}): Promise<unknown> =>
  gatherSecrets({ named: needed, needed: new Set(needed), inventory: 'i.yaml', ...more }).then(
    (values) => Object.fromEntries(values),
    (error: unknown) => {
      if (error instanceof LvsError && error.exitCode === 4)
        return [error, ...error.others].map((one) => formatError(one).replaceAll(`${folder}/`, ''));
      throw error;
    },
  );

test('the environment, then the file, then the command, then whoever sits there: each is asked for what those before do not have', async () => {
  vi.stubEnv('LVSCTL_SECRET_ONE', 'from environment');
  vi.stubEnv('LVSCTL_SECRETS_COMMAND', `${path('give')} command {name}`);
  const questions: string[] = [];
  const ask = async (question: string): Promise<string> => `typed ${questions.push(question)}`;
  expect(await gathered(['one', 'two', 'four', 'absent'], { from: age, ask })).toEqual({
    ...{ one: 'from environment', two: 'from file' },
    ...{ four: 'from command', absent: 'typed 1' },
  });
  expect(questions).toEqual(['value of secret absent']);
  expect(readFileSync(path('asked'), 'utf8')).toBe('four\nabsent\n');
});

test('what nobody needs is not asked for, and a file is not opened for it; where it is open, all that is named is kept out of outputs', async () => {
  const named = ['one', 'two'];
  const bad = { file: path('not-there') };
  expect(await gathered(['one'], { named, needed: new Set(), from: bad })).toEqual({});
  vi.stubEnv('LVSCTL_SECRET_ONE', 'x');
  expect(await gathered(['one'], { named, from: bad })).toEqual({ one: 'x' });
  vi.unstubAllEnvs();
  expect(await gathered(['one'], { named, from: age })).toEqual({ one: 'from file', two: 'from file' });
});

test('where hosts show what they have kept, the file is opened for that alone; what nothing names any more is kept out where it is long', async () => {
  const more = { named: ['one'], needed: new Set<string>(), keepsOut: true };
  expect(await gathered([], { ...more, from: age })).toEqual({ one: 'from file', two: 'from file' });
  expect(await gathered(['one'], { from: age })).toEqual({ one: 'from file', two: 'from file' });
  const ask = () => Promise.reject(new Error('nobody is asked'));
  expect(await gathered([], { ...more, from: vault, ask })).toEqual({});
  vi.stubEnv('LVSCTL_SECRET_OLD_DB', 'from environment');
  expect(await gathered([], { ...more, from: vault })).toEqual({ old_db: 'from environment' });
  vi.unstubAllEnvs();
  expect(await gathered([], { ...more, from: { file: path('not-there') } })).toEqual({});
});

test('a vault, whose password comes from a file, from a program as Ansible has it, or from whoever sits there', async () => {
  const password = path('password');
  writeFileSync(password, 'correct horse\n');
  vi.stubEnv('ANSIBLE_VAULT_PASSWORD_FILE', password);
  expect(await gathered(['one'], { from: vault })).toEqual({ one: 'from file', two: 'from file' });
  writeFileSync(password, '#!/bin/sh\necho correct horse\n');
  chmodSync(password, 0o700);
  expect(await gathered(['one'], { from: vault })).toEqual({ one: 'from file', two: 'from file' });
  writeFileSync(password, '#!/bin/sh\necho correct horse\nexit 3\n');
  expect(await gathered(['one'], { from: vault })).toEqual(['password: this program gave no password (exit 3)']);
  vi.stubEnv('ANSIBLE_VAULT_PASSWORD_FILE', '');
  expect(await gathered(['one'], { from: vault, ask: async () => 'correct horse' })).toEqual({ one: 'from file', two: 'from file' });
  expect(await gathered(['one'], { from: vault })).toEqual([
    'vault.yml: this file wants its vault password; run it on a terminal, or name a file that holds it in ANSIBLE_VAULT_PASSWORD_FILE',
  ]);
});

test('what has no value is said with all the ways to give it one, a line for each', async () => {
  expect(await gathered(['a.b', 'c'])).toEqual([
    'secret "a.b" has no value; set LVSCTL_SECRET_A_B, name an encrypted file under "secrets" in i.yaml, name a program in LVSCTL_SECRETS_COMMAND, or run it on a terminal to be asked',
    'secret "c" has no value; set LVSCTL_SECRET_C, name an encrypted file under "secrets" in i.yaml, name a program in LVSCTL_SECRETS_COMMAND, or run it on a terminal to be asked',
  ]);
  vi.stubEnv('LVSCTL_SECRETS_COMMAND', `${path('give')} command {name}`);
  expect(await gathered(['absent'], { from: age, ask: async () => '' })).toEqual([
    `secret "absent" has no value; set LVSCTL_SECRET_ABSENT, put it into s.age ("lvsctl secrets edit i.yaml"), have give give it (give ended with 1), or run it on a terminal to be asked`,
  ]);
  vi.stubEnv('LVSCTL_SECRET_NUL', 'x');
  expect(await gathered(['nul'], { ask: async () => 'x' })).toEqual({ nul: 'x' });
  expect(await gathered(['zero'], { from: age, ask: async () => 'a\0b' })).toMatchObject({ zero: 'from command' });
});

test('the command is words and no shell; a name is one word of it', () => {
  expect(secretCommand('pass  show lvs/{name}')).toEqual(['pass', 'show', 'lvs/{name}']);
  expect(secretCommand('["/opt/my tool", "--field={name}", "$(id)"]')).toEqual(['/opt/my tool', '--field={name}', '$(id)']);
  expect(secretCommand('')).toBeUndefined();
  for (const wrong of ['pass show', '["pass", 1, "{name}"]', '[', '[]', '{name}'])
    expect(() => secretCommand(wrong), wrong).toThrow(LvsError);
  const out = path('owned');
  expect(askCommand(['printf', '%s\n', `{name};touch ${out}`], 'a')).toEqual({ value: `a;touch ${out}` });
  expect(existsSync(out)).toBe(false);
  expect(askCommand(['printf', 'two\nlines\n\n{name}'], 'a')).toEqual({ value: 'two\nlines\n\na' });
  expect(askCommand(['true', '{name}'], 'a')).toEqual({ why: 'true printed nothing' });
  expect(askCommand(['/nonexistent', '{name}'], 'a')).toEqual({ why: '/nonexistent cannot be run (ENOENT)' });
  expect(() => askCommand(['sleep', '9{name}'], '', 100)).toThrow('sleep did not give secret "" within 0.1 s');
});

test('the list says where from, and no value; the command is not run', async () => {
  rmSync(path('asked'), { force: true });
  vi.stubEnv('LVSCTL_SECRET_ONE', 'hunter2');
  const needed = new Set(['one', 'two', 'four']);
  const named = ['two', 'one', 'four'];
  expect(await sourcesOf({ named, needed, from: age, ask: undefined })).toEqual([
    { name: 'four', needed: true },
    { name: 'one', needed: true, from: 'environment: LVSCTL_SECRET_ONE' },
    { name: 'two', needed: true, from: `file: ${age.file}` },
  ]);
  vi.stubEnv('LVSCTL_SECRETS_COMMAND', `${path('give')} command {name}`);
  const [four] = await sourcesOf({ named: ['four'], needed, from: { file: path('none') }, ask: undefined });
  expect(four).toEqual({
    ...{ name: 'four', needed: true, from: `command: ${path('give')} command four` },
    why: `not asked yet; ${path('none')}: there is no such file`,
  });
  expect(existsSync(path('asked'))).toBe(false);
});
