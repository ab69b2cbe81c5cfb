/** `lvsctl secrets` with editors that are scripts. What is a process of its own has a network of its own, without a way out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { armor, Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { edit, encrypt, keygen, rekey } from '../../src/cli/commands/secrets.ts';
import { list } from '../../src/cli/commands/secrets-list.ts';
import { complain } from '../../src/cli/complain.ts';
import type { CommonFlags } from '../../src/cli/flags.ts';
import { base } from '../inventory/base.ts';
import { typed } from '../support/typed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const words = [
  'unshare',
  '--user',
  '--map-root-user',
  '--net',
  process.execPath,
  '--import',
  join(root, 'node_modules/tsx/dist/loader.mjs'),
  join(root, 'src/cli/main.ts'),
];

let folder = '';
beforeEach(() => {
  vi.stubEnv('NO_COLOR', '1');
  vi.stubEnv('XDG_CONFIG_HOME', '');
  vi.stubEnv('LVSCTL_AGE_IDENTITY', '');
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-secrets-'));
  vi.stubEnv('HOME', folder);
  writeFileSync(
    path('i.yaml'),
    `${base.replace('vip_interface: eth1 }', 'vip_interface: eth1, auth_pass: !secret vrrp }')}secrets: { file: s.age }\nvars: { db: !secret db }\n`,
  );
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
const path = (name: string): string => join(folder, name);
const env = (more: Readonly<Record<string, string>> = {}) => ({ PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', ...more });

interface Ran {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const [program = '', ...rest] = [...words, ...args];
  const child = spawn(program, rest, { cwd: folder, env: env(more), stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  const ended = once(child, 'close').then(([exit]): Ran => ({ exit: exit as number | null, ...said }));
  return { pid: child.pid ?? 0, ended };
}

/** The same in this process; the folder's name is taken out of what it says. */
async function ran(work: () => Promise<void>): Promise<Ran> {
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream] += String(text).replaceAll(`${folder}/`, '');
      return true;
    });
  }
  try {
    process.exitCode = 0;
    await work();
    return { exit: process.exitCode, ...said };
  } catch (error) {
    const exit = complain(error, false);
    return { exit, ...said };
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
}
const inventory = (): string => path('i.yaml');
const listed = (more: Partial<CommonFlags> = {}): Promise<Ran> =>
  ran(() => list(inventory(), { limit: 'all', color: false, verbose: 0, forks: 5, ...more }));

/** An editor that is this shell; the file is `$1`. */
function editor(name: string, script: string): { readonly EDITOR: string } {
  writeFileSync(path(name), `#!/bin/sh\necho "$1" >>${path('where')}\n${script}\n`);
  chmodSync(path(name), 0o755);
  return { EDITOR: path(name) };
}
function edited(script: string, program = editor('editor', script).EDITOR): Promise<Ran> {
  vi.stubEnv('VISUAL', '');
  vi.stubEnv('EDITOR', program);
  return ran(() => edit(inventory()));
}

async function inside(file: string, key = keyOf(path('.config/lvsctl/age.key'))): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(key);
  return decrypter.decrypt(armor.decode(readFileSync(path(file), 'utf8')), 'text');
}
const keyOf = (file: string): string => /^AGE-SECRET-KEY-\S+$/m.exec(readFileSync(file, 'utf8'))?.[0] ?? '';

/** Every folder that an editor has seen is gone, and with it the text. */
const nothingLeft = (): void => {
  const seen = readFileSync(path('where'), 'utf8').trim().split('\n');
  expect(seen.filter((file) => existsSync(dirname(file)))).toEqual([]);
};

test('from nothing: a key, the first edit, who has what, another reader', async () => {
  const made = await ran(() => keygen({}));
  expect(made).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^age1[a-z0-9]+\n$/) });
  const me = made.stdout.trim();
  const key = path('.config/lvsctl/age.key');
  expect([statSync(key).mode & 0o777, statSync(dirname(key)).mode & 0o777]).toEqual([0o600, 0o700]);
  const before = readFileSync(key, 'utf8');
  expect(await ran(() => keygen({}))).toMatchObject({
    exit: 4,
    stderr: `error: .config/lvsctl/age.key: this file is there already, and is left as it is\n`,
  });
  expect(readFileSync(key, 'utf8')).toBe(before);

  const look = `stat -c %a "$1" "$(dirname "$1")" >${path('seen')}; grep -q "One secret on each line" "$1"`;
  expect(await edited(`${look} && printf 'vrrp: hunter2\\nold: x\\n' >"$1"`)).toEqual({
    exit: 0,
    stdout: 's.age: 2 secrets, encrypted for you alone\n',
    stderr: '',
  });
  expect(readFileSync(path('seen'), 'utf8')).toBe('600\n700\n');
  expect(await inside('s.age')).toBe(`# recipient: ${me}\nvrrp: hunter2\nold: x\n`);
  expect(statSync(path('s.age')).mode & 0o777).toBe(0o600);
  nothingLeft();

  // What db would be for is in no playbook of lvsctl's.
  const table = 'db    nowhere (not wanted by a deploy)\nvrrp  file: s.age\n';
  expect(await listed()).toEqual({ exit: 0, stdout: table, stderr: '' });

  const friend = await generateX25519Identity();
  const they = await identityToRecipient(friend);
  const rekeyed = await ran(() => rekey(inventory(), { recipient: [me, they] }));
  expect(rekeyed).toMatchObject({
    exit: 0,
    stderr: '',
    stdout: expect.stringMatching(/^s\.age: encrypted for 2 recipients; whoever could read it before/),
  });
  expect(await edited('grep -q recipient "$1" && exit 9; sed -i s/hunter2/hunter3/ "$1"')).toMatchObject({
    exit: 0,
    stdout: 's.age: 2 secrets, encrypted for whom it was before\n',
  });
  expect(await inside('s.age', friend)).toBe(`# recipient: ${me}\n# recipient: ${they}\nvrrp: hunter3\nold: x\n`);
  expect(await ran(() => rekey(inventory(), { recipient: [they] }))).toMatchObject({
    exit: 0,
    stderr: 'you are not among them: you cannot read it any more\n',
  });
  expect(await listed()).toMatchObject({
    exit: 4,
    stdout: expect.stringContaining('vrrp  nowhere (s.age: this file is not encrypted for your identity)\n'),
  });
});

test('what is not right changes nothing, and nothing of it is lost', async () => {
  await ran(() => keygen({}));
  await edited('printf "vrrp: hunter2\\n" >"$1"');
  const whole = readFileSync(path('s.age'));
  const bad = await edited('printf "vrrp: hunter2\\nmine: [hunter3\\n" >"$1"');
  expect(bad).toMatchObject({ exit: 4, stdout: '' });
  expect(bad.stderr).toMatch(
    /^error: s\.age: not valid YAML, at line \d; the file is as it was; what you typed is kept, encrypted, in s\.age\.rejected, and "lvsctl secrets edit" goes on from there\n$/,
  );
  expect(readFileSync(path('s.age'))).toEqual(whole);
  expect(await inside('s.age.rejected')).toContain('mine: [hunter3');
  nothingLeft();

  const mended = await edited('sed -i "s/\\[//" "$1"');
  expect(mended).toMatchObject({ exit: 0, stdout: 's.age: 2 secrets, encrypted for whom it was before\n' });
  expect(await inside('s.age')).toContain('vrrp: hunter2\nmine: hunter3\n');
  expect(existsSync(path('s.age.rejected'))).toBe(false);

  const now = readFileSync(path('s.age'));
  expect(await edited(':')).toMatchObject({ exit: 0, stdout: 's.age: 2 secrets, nothing was changed\n' });
  expect(await edited('echo "a: b" >>"$1"; exit 3')).toMatchObject({
    exit: 4,
    stderr: 'error: editor ended with 3: nothing was changed\n',
  });
  expect(await edited('', '/nonexistent -w')).toMatchObject({
    exit: 4,
    stderr: 'error: the editor /nonexistent cannot be run: nothing was changed; name one in EDITOR\n',
  });
  expect(readFileSync(path('s.age'))).toEqual(now);
  // Somebody else was faster.
  expect(await edited(`echo "a: b" >>"$1"; echo >>${path('s.age')}`)).toMatchObject({
    exit: 4,
    stderr: expect.stringContaining('somebody has changed this file while you edited it; the file is as it was'),
  });
  expect(await inside('s.age.rejected')).toContain('mine: hunter3\na: b\n');
  nothingLeft();
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
});

test('on a terminal one is asked whether to edit it again', async () => {
  await ran(() => keygen({}));
  const script = 'if [ -e again ]; then echo "vrrp: hunter2" >"$1"; else touch again; echo "vrrp: [" >"$1"; fi';
  const inFolder = ['sh', '-c', `cd ${folder} && exec "$@"`, 'sh', ...words, 'secrets', 'edit', 'i.yaml'];
  const { exit, stdout } = await typed(inFolder, env(editor('editor', script)), 'edit it again? [Y/n]', 'y');
  expect({ exit, stdout }).toEqual({ exit: 0, stdout: expect.stringContaining('s.age: 1 secret, encrypted for you alone') });
  nothingLeft();
});

test.each([
  ['Ctrl-C on the terminal', 'SIGINT', -1],
  ['a TERM for lvsctl alone', 'SIGTERM', 1],
  ['a closed terminal', 'SIGHUP', -1],
] as const)('%s leaves no text in clear', async (_, signal, whom) => {
  await ran(() => keygen({}));
  await edited('echo "vrrp: hunter2" >"$1"');
  const whole = readFileSync(path('s.age'));
  rmSync(path('where'));
  const { pid, ended } = start(['secrets', 'edit', 'i.yaml'], editor('editor', `echo "a: b" >>"$1"; touch ${path('open')}; exec sleep 60`));
  while (!existsSync(path('open'))) await setTimeout(20);
  expect(readFileSync(readFileSync(path('where'), 'utf8').trim(), 'utf8')).toBe('vrrp: hunter2\na: b\n');
  process.kill(whom * pid, signal);
  expect(await ended).toMatchObject({ exit: 130, stderr: 'error: interrupted: nothing was changed\n' });
  nothingLeft();
  expect(readFileSync(path('s.age'))).toEqual(whole);
});

test('a file in clear becomes one for whom it is said, or for whoever knows the passphrase', async () => {
  const friend = await generateX25519Identity();
  const they = await identityToRecipient(friend);
  writeFileSync(path('plain.yaml'), 'vrrp: hunter2\n');
  const made = await ran(() => encrypt(path('plain.yaml'), { recipient: [they] }));
  expect(made).toEqual({
    exit: 0,
    stdout: 'plain.age: 1 secret, encrypted for 1 recipient; plain.yaml is still there in clear: take it away\n',
    stderr: '',
  });
  expect(await inside('plain.age', friend)).toContain('vrrp: hunter2\n');
  const again = await ran(() => encrypt(path('plain.yaml'), { recipient: [they] }));
  expect(again).toMatchObject({
    exit: 4,
    stderr: 'error: plain.age: this file is there already, and is left as it is; "lvsctl secrets edit" changes it\n',
  });
  writeFileSync(path('phrase'), 'correct horse\n', { mode: 0o600 });
  vi.stubEnv('LVSCTL_SECRETS_PASSPHRASE_FILE', path('phrase'));
  expect(await ran(() => encrypt(path('plain.yaml'), { passphrase: true, output: path('s.age') }))).toMatchObject({ exit: 0 });
  expect(JSON.parse((await listed({ json: true })).stdout)).toEqual({
    ...{ command: 'secrets list', ok: true, exitCode: 0 },
    secrets: [
      { name: 'db', needed: false },
      { name: 'vrrp', needed: true, from: 'file: s.age' },
    ],
  });
  writeFileSync(path('bad.yaml'), 'vrrp: [hunter2]\n');
  const bad = await ran(() => encrypt(path('bad.yaml'), { recipient: [they] }));
  expect(bad).toMatchObject({
    exit: 4,
    stdout: '',
    stderr: expect.stringMatching(/^error: bad\.yaml: line 1: the value is not plain text/),
  });
  expect(existsSync(path('bad.age'))).toBe(false);
});

test('a vault is read, and left to ansible-vault; an inventory without a file, and a missing value, are said before anything is called', async () => {
  writeFileSync(path('s.age'), '$ANSIBLE_VAULT;1.1;AES256\n00\n');
  expect(await edited(':')).toMatchObject({
    exit: 4,
    stderr: 'error: s.age: this is a file of ansible-vault; lvsctl only reads it: change it with "ansible-vault edit"\n',
  });
  writeFileSync(path('i.yaml'), readFileSync(path('i.yaml'), 'utf8').replace(/^secrets.*\n/m, ''));
  expect(await edited(':')).toMatchObject({
    exit: 4,
    stderr: 'error: i.yaml: this inventory names no file of secrets; write secrets: { file: secrets.age } into it\n',
  });
  expect(await start(['deploy', 'i.yaml', '--yes']).ended).toEqual({
    ...{ exit: 4, stdout: '' },
    stderr:
      'error: secret "vrrp" has no value; set LVSCTL_SECRET_VRRP, name an encrypted file under "secrets" in i.yaml, name a program in LVSCTL_SECRETS_COMMAND, or run it on a terminal to be asked\n',
  });
});
