/** Looking at files and writing them, for real, in every shell. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LvsError } from '../../../../src/errors.ts';
import { secretSlot } from '../../../../src/sh/secret.ts';
import { type Sh, sh } from '../../../../src/sh/sh.ts';
import {
  fileChange,
  fileProbe,
  filesProbe,
  parseFile,
  parseFiles,
  type SeenFile,
  writeFile,
} from '../../../../src/tasks/support/files/write-file.ts';
import { inlineLimit } from '../../../../src/tasks/support/params.ts';
import { shells } from '../../../support/lint-shell.ts';
import { planContext } from '../../../support/plan-context.ts';
import { runIn } from '../../../support/run-shell.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-write-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const me = { owner: String(process.getuid?.()), group: String(process.getgid?.()) };
const context = planContext();
const inside = (name: string) => join(folder, name);
const look = (path: string): SeenFile => parseFile(runIn('dash', fileProbe(path)));

const awkward = [
  '',
  '\n',
  'no newline at the end',
  '|\n\n|x\n',
  'content\n.\n\n.\n',
  'type missing\n',
  '\nend\n',
  '\r|x\u2028|y\n',
  "it's $HOME `id` \\n %s\n",
  'x'.repeat(inlineLimit),
];

describe.each(shells)('%s', (shell) => {
  test.each(awkward.map((content) => [JSON.stringify(content).slice(0, 40), content]))('content comes back exact: %s', (_, content) => {
    const path = inside("na me'$x");
    expect(runIn(shell, writeFile({ path, content, mode: '0640', ...me }))).toEqual({ stdout: '', stderr: '', exit: 0 });
    expect(readFileSync(path, 'utf8')).toBe(content);
    const seen = parseFile(runIn(shell, fileProbe(path)));
    expect(seen).toMatchObject({ type: 'file', mode: '0640', uid: me.owner, gid: me.group, size: Buffer.byteLength(content), content });
  });

  test('several files in one probe are kept apart, and what follows them is handed back', () => {
    const paths = awkward.map((content, index) => {
      writeFileSync(inside(String(index)), content);
      return inside(String(index));
    });
    const output = runIn(shell, { parts: [...filesProbe([...paths, inside('missing')]).parts, { text: "\nprintf 'more\\n\\nend\\n'" }] });
    const { files, rest } = parseFiles(output, [...paths, inside('missing')]);
    expect(files.map(({ content }) => content)).toEqual([...awkward, undefined]);
    expect(files.at(-1)?.type).toBe('missing');
    expect(rest).toBe('more\n\nend\n');
  });

  test('a copy that is not valid leaves the old file, and nothing else', () => {
    writeFileSync(inside('conf'), 'old');
    const ran = runIn(shell, writeFile({ path: inside('conf'), content: 'new', ...me, validate: (staged) => sh`grep -q good ${staged}` }));
    expect(ran.exit).toBe(1);
    expect(ran.stderr).toContain(`the new ${inside('conf')} is not valid; the old one stays`);
    expect(readFileSync(inside('conf'), 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['conf']);
  });

  test('the validator sees the new content with its final mode, while the old file is still in place', () => {
    writeFileSync(inside('conf'), 'old');
    const validate = (staged: Sh) =>
      sh`cp ${staged} ${inside('seen')} && stat -c %a ${staged} >${inside('mode')} && cp ${inside('conf')} ${inside('before')}`;
    expect(runIn(shell, writeFile({ path: inside('conf'), content: 'new', mode: '0600', ...me, validate })).exit).toBe(0);
    const read = (name: string) => readFileSync(inside(name), 'utf8');
    expect([read('seen'), read('mode'), read('before'), read('conf')]).toEqual(['new', '600\n', 'old', 'new']);
  });

  test('a link, a directory and a missing folder are left alone', () => {
    symlinkSync(inside('elsewhere'), inside('link'));
    mkdirSync(inside('directory'));
    for (const name of ['link', 'directory', 'no/such'])
      expect(runIn(shell, writeFile({ path: inside(name), content: 'x', ...me })).exit).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(['directory', 'link']);
    expect(readdirSync(inside('directory'))).toEqual([]);
  });

  test('a leftover of a run that died, even a link set as a trap, is no obstacle', () => {
    writeFileSync(inside('victim'), 'safe');
    symlinkSync(inside('victim'), inside('.conf.lvsctl'));
    expect(runIn(shell, writeFile({ path: inside('conf'), content: 'new', ...me })).exit).toBe(0);
    expect([readFileSync(inside('conf'), 'utf8'), readFileSync(inside('victim'), 'utf8')]).toEqual(['new', 'safe']);
    expect(readdirSync(folder).sort()).toEqual(['conf', 'victim']);
  });

  test('a missing parent is made only when asked for, open to readers', () => {
    expect(runIn(shell, writeFile({ path: inside('a/b/conf'), content: 'x', makeParent: true, ...me })).exit).toBe(0);
    expect([statSync(inside('a')).mode & 0o777, statSync(inside('a/b')).mode & 0o777]).toEqual([0o755, 0o755]);
  });
});

test('a reader who has the old file open keeps reading it whole: the new one is another file', () => {
  writeFileSync(inside('conf'), 'old');
  const before = statSync(inside('conf')).ino;
  runIn('dash', writeFile({ path: inside('conf'), content: 'new', ...me }));
  expect(statSync(inside('conf')).ino).not.toBe(before);
});

test('a link is shown with where it leads, a file that is too large without its content', () => {
  symlinkSync('/no where\n|x', inside('link'));
  writeFileSync(inside('large'), 'x'.repeat(inlineLimit + 1));
  expect(look(inside('link'))).toMatchObject({ type: 'link', target: '/no where\n|x' });
  expect(look(inside('large'))).toMatchObject({ type: 'file', size: inlineLimit + 1, content: undefined });
});

test('an answer that was cut short has no content, so the file is written again', () => {
  writeFileSync(inside('conf'), 'one\ntwo\n');
  const { stdout } = runIn('dash', fileProbe(inside('conf')));
  fc.assert(
    fc.property(fc.nat({ max: stdout.length - 1 }), (length) => parseFile({ stdout: stdout.slice(0, length) }).content === undefined),
  );
});

describe('fileChange', () => {
  const seen: SeenFile = {
    type: 'file',
    owner: 'root',
    group: 'root',
    uid: '0',
    gid: '0',
    mode: '0644',
    size: 3,
    content: 'old',
    target: '',
    label: '',
  };
  const ids = (change: Partial<Parameters<typeof fileChange>[0]>) =>
    fileChange({ seen, path: '/etc/x', content: 'old', context, ...change }).map(({ id }) => id);

  test('content and attributes are changes of their own', () => {
    expect(ids({})).toEqual([]);
    expect(ids({ content: 'new' })).toEqual(['content:/etc/x']);
    expect(ids({ mode: '0600' })).toEqual(['attributes:/etc/x']);
    expect(ids({ content: 'new', owner: 'adm' })).toEqual(['content:/etc/x', 'attributes:/etc/x']);
    expect(ids({ seen: { ...seen, type: 'missing', content: undefined }, owner: 'adm' })).toEqual(['content:/etc/x']);
  });

  test('owner and group may be numbers, the mode may lack its zero', () => {
    expect(ids({ owner: '0', group: '0', mode: '644' })).toEqual([]);
  });

  test('a secret is compared by its value, and travels by its name', () => {
    const secret = secretSlot('vrrp');
    const knowing = planContext({ resolve: (text) => text.replace(secret, 'hunter2') });
    const has = (content: string) =>
      fileChange({ seen: { ...seen, content }, path: '/etc/x', content: `pass ${secret}\n`, context: knowing });
    expect(has('pass hunter2\n')).toEqual([]);
    expect(JSON.stringify(has('pass other\n'))).not.toContain('hunter2');
  });

  test.each(['link', 'directory', 'other'] as const)('what is a %s is refused', (type) => {
    expect(() => ids({ seen: { ...seen, type } })).toThrow(LvsError);
  });

  test('a link gives way when asked to', () => {
    expect(ids({ seen: { ...seen, type: 'link' }, replaceLink: true })).toEqual(['content:/etc/x']);
  });
});
