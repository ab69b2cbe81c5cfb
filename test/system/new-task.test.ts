/** `npm run new-task` in a copy of the tree: what it writes passes types, lint and the contract of tasks as it is. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let tree: string;

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'lvsctl-new-task-'));
  for (const name of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts', 'biome.json', '.gitignore'])
    cpSync(join(root, name), join(tree, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  mkdirSync(join(tree, 'scripts'));
});
afterAll(() => rmSync(tree, { recursive: true, force: true }));

const run = (program: string, ...words: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(program, words, { cwd: tree, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  return { exit: status, said: `${stdout}${stderr}` };
};
const newTask = (name: string) => run(process.execPath, join(root, 'scripts/new-task.js'), name, tree);
const tool = (name: string, ...words: readonly string[]) => run(join(tree, 'node_modules/.bin', name), ...words);

test('a new task passes as it is, and is not written twice', () => {
  const made = newTask('brand_new2');
  expect(made).toMatchObject({ exit: 0, said: expect.stringContaining('src/tasks/brand_new2.ts') });
  expect(tool('tsc', '-p', '.')).toEqual({ exit: 0, said: '' });
  const lint = tool('biome', 'check', '--vcs-enabled=false', 'src/tasks/brand_new2.ts', 'test/tasks/brand_new2.test.ts');
  expect(lint, lint.said).toMatchObject({ exit: 0 });
  const tests = ['contract', 'golden', 'brand_new2'].map((name) => `test/tasks/${name}.test.ts`);
  const passed = tool('vitest', 'run', '--project', 'unit', ...tests, '-t', 'brand_new2|does what it plans');
  expect(passed, passed.said).toMatchObject({ exit: 0, said: expect.stringMatching(/Test Files {2}3 passed/) });
  expect(newTask('brand_new2')).toMatchObject({ exit: 4, said: expect.stringContaining('is there already') });
});

test.each(['', 'Upper', '2nd', 'with-dash', 'a/b', '../x', '_x'])('%j is no name', (name) => {
  expect(newTask(name)).toMatchObject({ exit: 4, said: expect.stringContaining('is no name of a task') });
});

test.each(['package', 'sysctl'])('%s is there already', (name) => {
  expect(newTask(name)).toMatchObject({ exit: 4, said: expect.stringContaining(`src/tasks/${name}.ts is there already`) });
});
