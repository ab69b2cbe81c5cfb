// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they stand in the text of a user's file
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { loadRegistry } from '../../src/playbook/registry.ts';
import { mask } from '../../src/sh/secret.ts';
import { renderSh } from '../../src/sh/sh.ts';
import { planContext } from '../support/plan-context.ts';
import { fleet } from './support.ts';

/** A task that is right, but for what a case puts in place of one of its lines. */
const marker = (edit: Readonly<Record<string, string>> = {}): string => {
  const parts = {
    summary: "'A marker file.'",
    params: "z.strictObject({ path: z.string().describe('Where.') })",
    touches: '(want) => [`file:${want.path}`]',
    probe: '(want) => sh`test -e ${want.path} && echo there`',
    parse: '({ stdout }) => stdout !== ""',
    plan: "(seen, want) => seen ? [] : [{ id: 'make', title: `make ${want.path}`, was: '', will: 'there', run: sh`touch ${want.path}` }]",
    settled: '(want) => `${want.path} is there`',
    example: "{ path: '/etc/marker' }",
    ...edit,
  };
  const body = Object.entries(parts).filter(([, text]) => text !== '');
  return `export default ({ defineTask, sh, z, refuse }) =>\n  defineTask({\n${body.map(([key, text]) => `    ${key}: ${text},\n`).join('')}  });\n`;
};

const looks = `export default ({ defineCheck, sh, z }) => defineCheck({
  summary: 'A marker is there.',
  params: z.strictObject({}),
  from: ['backend'],
  probe: () => sh\`test -e /etc/marker\`,
  expect: (looks) => looks.map(({ host }) => ({ status: 'pass', host: host.name, found: 'there', expected: 'there', fix: '' })),
  example: {},
});
`;

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-own-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

async function complaintAbout(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = folderWith(files);
  try {
    await loadRegistry([join(folder, 'book.yaml')]);
  } catch (error) {
    if (error instanceof LvsError && error.exitCode === 4) return formatError(error).replaceAll(`${folder}/`, '');
    throw error;
  }
  throw new Error('accepted');
}

test('a task and a check of the user are words of the playbook beside them', async () => {
  const book = '- name: p\n  hosts: web1\n  tasks:\n    - marker: { path: /x }\n  checks:\n    - marked: {}\n';
  const folder = folderWith({ 'book.yaml': book, 'tasks/marker.js': marker(), 'tasks/more.yaml': '[]\n', 'checks/marked.js': looks });
  const file = join(folder, 'book.yaml');
  const registry = await loadRegistry([file, file]);
  const [play] = bindPlaybook(loadPlaybook(file), fleet, registry);
  expect(play?.steps.web1).toMatchObject([{ task: 'marker', want: { path: '/x' } }]);
  expect(play?.checks).toMatchObject([{ want: {} }]);
  const task = registry.tasks.get('marker');
  const changes = task?.plan(task.parse({ stdout: '', stderr: '', exit: 1 }, {}), { path: "/x'y" }, planContext()) ?? [];
  expect(changes.map(({ run }) => renderSh(run, mask))).toEqual(["touch '/x'\\''y'"]);
});

test('what helps a task lies in a folder below, and is imported from there', async () => {
  const helped = `import { where } from './support/where.js';\n${marker({ example: '{ path: where }' })}`;
  const folder = folderWith({ 'tasks/marker.js': helped, 'tasks/support/where.js': "export const where = '/here';\n" });
  const { tasks } = await loadRegistry([join(folder, 'book.yaml')]);
  expect(tasks.get('marker')?.example).toEqual({ path: '/here' });
});

test('no folder, no words', async () => {
  const { tasks } = await loadRegistry([join(folderWith({}), 'book.yaml')]);
  expect(tasks.size).toBe((await loadRegistry()).tasks.size);
});

test.each<[string, Readonly<Record<string, string>>, string | RegExp]>([
  [
    'wrong syntax',
    { 'tasks/a.js': 'export default () => {\n  const x = ;\n};\n' },
    "tasks/a.js:2:13: this file does not load: SyntaxError: Unexpected token ';'",
  ],
  [
    'an import of nothing',
    { 'tasks/a.js': "import x from './nowhere.js';\nexport default x;\n" },
    /^tasks\/a\.js(:1:1)?: this file does not load: Error: Cannot find module '.*nowhere\.js'/,
  ],
  [
    'code that throws',
    { 'tasks/a.js': '\nnothingOfThisName();\n' },
    /^tasks\/a\.js:2:1: this file does not load: ReferenceError: nothingOfThisName is not defined$/,
  ],
  [
    'no default export',
    { 'tasks/a.js': 'export const a = 1;\n' },
    'tasks/a.js: no default export; write export default ({ defineTask, sh, z }) => …',
  ],
  [
    'a default export that is no function',
    { 'checks/a.js': 'export default {};\n' },
    'checks/a.js: the default export is not a function; write export default ({ defineCheck, sh, z }) => …',
  ],
  [
    'a function that throws',
    { 'tasks/a.js': 'export default ({ z }) =>\n  z.nothing();\n' },
    /^tasks\/a\.js:2:\d+: its function fails: TypeError: z\.nothing is not a function$/,
  ],
  [
    'nothing returned',
    { 'tasks/a.js': 'export default () => {};\n' },
    /^tasks\/a\.js: its function returns no definition; return defineTask/,
  ],
  ['a part missing', { 'tasks/a.js': marker({ probe: '' }) }, 'tasks/a.js: probe is missing; it is a function'],
  [
    'a part misspelt',
    { 'tasks/a.js': marker({ probe: '', prob: '() => sh`true`' }) },
    'tasks/a.js: unknown key "prob"; did you mean "probe"?',
  ],
  [
    'params that are no schema',
    { 'tasks/a.js': marker({ params: '{ path: z.string() }' }) },
    'tasks/a.js: params is not as it should be; right is: a schema made with the z that it is given',
  ],
  [
    'an example that params refuses',
    { 'tasks/a.js': marker({ example: '{ path: 7 }' }) },
    /^tasks\/a\.js: example\.path: .*expected string.*; the example must be what params accepts$/,
  ],
  [
    'a probe that is only text',
    { 'tasks/a.js': marker({ probe: '() => "true"' }) },
    'tasks/a.js: probe returns what is not right: shell made with sh`…`',
  ],
  ['a probe that throws', { 'tasks/a.js': marker({ probe: '(want) => want.a.b' }) }, /^tasks\/a\.js:6:\d+: probe fails: TypeError: /],
  [
    'a role that is none',
    { 'checks/a.js': looks.replace('backend', 'server') },
    /^checks\/a\.js: from\.0 is not as it should be; right is: /,
  ],
  [
    'the name of a built-in task',
    { 'tasks/service.js': marker() },
    'tasks/service.js: there is a task "service" already; rename the file: its name is its word in the playbook',
  ],
  ['the name of a built-in check', { 'checks/vip_arp.js': looks }, /^checks\/vip_arp\.js: there is a check "vip_arp" already/],
  ['the name of a setting', { 'tasks/when.js': marker() }, /^tasks\/when\.js: "when" means something else in a playbook/],
  ['a habit of Ansible users', { 'tasks/become.js': marker() }, /^tasks\/become\.js: "become" means something else/],
  [
    'a name that is no word',
    { 'tasks/My-Task.js': marker() },
    /^tasks\/My-Task\.js: this file name is no word for a task; name it WORD\.js/,
  ],
  ['TypeScript', { 'tasks/marker.ts': marker() }, /^tasks\/marker\.ts: this file name is no word/],
])('%s', async (_, files, line) => {
  expect(await complaintAbout(files)).toEqual(typeof line === 'string' ? line : expect.stringMatching(line));
});

test.each([
  ['throws', { plan: '() => nowhere' }, /tasks\/marker\.js:8:\d+: plan fails: ReferenceError: nowhere is not defined$/],
  [
    'returns text as shell',
    { plan: "() => [{ id: 'a', title: 'a', was: '', will: '', run: 'touch x' }]" },
    /plan returns .* at 0\.run: shell made with sh`…`$/,
  ],
  [
    'misspells a key',
    { plan: "() => [{ id: 'a', title: 'a', was: '', will: '', run: sh`true`, unles: sh`true` }]" },
    /plan returns .*unles/,
  ],
  ['refuses', { plan: "() => { throw refuse('not today'); }" }, /^not today$/],
])('a plan that %s is said of its file, as a refusal', async (_, edit, line) => {
  const { tasks } = await loadRegistry([join(folderWith({ 'tasks/marker.js': marker(edit) }), 'book.yaml')]);
  expect(() => tasks.get('marker')?.plan(false, { path: '/x' }, planContext())).toThrow(
    expect.objectContaining({ exitCode: 4, message: expect.stringMatching(line) }),
  );
});
