import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { bindText, complaintOf, fleet, registry } from './support.ts';

/** Files in a folder of their own; `book.yaml` is bound, and complaints name files relative to the folder. */
function bindFiles(files: Readonly<Record<string, string>>, tags: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-imports-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const bind = () => bindPlaybook(loadPlaybook(join(folder, 'book.yaml')), fleet, registry, { tags });
  return { bind, complaint: () => complaintOf(bind).replaceAll(`${folder}/`, '') };
}
const names = (plays: ReturnType<typeof bindPlaybook>) =>
  plays.map(({ name, steps }) => [name, ...(steps.web1 ?? []).map(({ want }) => (want as { name: string }).name)].join(' '));

test('a block hands its condition, tags, variables and notifications on', () => {
  const book = `
- name: p
  hosts: web1
  vars: { a: play }
  tasks:
    - name: all of these
      when: host.name === 'web1'
      tags: outer
      vars: { a: block, b: block }
      notify: restart x
      block:
        - group: { name: "<%= vars.a %>-<%= vars.b %>-<%= vars.c %>" }
          vars: { b: task, c: task }
          tags: inner
        - block:
            - service: { name: x }
              when: facts.release === '12'
          when: facts.init === 'systemd'
        - block: [{ group: { name: gone } }]
          when: false
`;
  expect(bindText(book)[0]?.steps.web1).toMatchObject([
    { want: { name: 'block-task-task' }, tags: ['outer', 'inner'], notify: ['restart x'] },
    { task: 'service', when: "(facts.init === 'systemd') && (facts.release === '12')", tags: ['outer'] },
  ]);
});

test('a condition that is false keeps those inside it from being looked at', () => {
  const book =
    '- name: p\n  tasks:\n    - when: fleet.vars.none\n      block:\n        - group: { name: a }\n          when: fleet.vars.none.x === 1\n';
  expect(bindText(book)[0]?.steps.web1).toEqual([]);
});

test('imports are relative to the file they stand in, and inherit', () => {
  const files = {
    'book.yaml':
      '- import_playbook: sub/other.yaml\n  tags: t\n  vars: { a: outer, b: outer }\n- name: p\n  hosts: web1\n  tasks:\n    - import_tasks: sub/list.yaml\n      vars: { a: here }\n    - group: { name: own }\n',
    'sub/other.yaml': '- name: imported\n  hosts: web1\n  vars: { b: play }\n  tasks:\n    - import_tasks: list.yaml\n',
    'sub/list.yaml': '- group: { name: "g-<%= vars.a %>" }\n- group: { name: k }\n  tags: u\n',
  };
  expect(names(bindFiles(files).bind())).toEqual(['imported g-outer k', 'p g-here k own']);
  expect(names(bindFiles(files, ['t']).bind())).toEqual(['imported g-outer k', 'p']);
  expect(names(bindFiles(files, ['u']).bind())).toEqual(['imported k', 'p k']);
});

test('a secret in an imported file is wanted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-imports-'));
  writeFileSync(join(folder, 'a.yaml'), '- name: p\n  vars: { x: !secret here }\n  tasks: [{ import_tasks: b.yaml }]\n');
  writeFileSync(join(folder, 'b.yaml'), '- group: { name: !secret there }\n');
  expect(loadPlaybook(join(folder, 'a.yaml')).secretNames).toEqual(['here', 'there']);
});

const play = (line: string): string => `- name: p\n  hosts: web1\n  tasks:\n    - ${line}\n`;

test.each([
  [
    { 'book.yaml': '- import_playbook: book.yaml\n' },
    'book.yaml:1:20: book.yaml imports itself; take one of these imports away: book.yaml → book.yaml',
  ],
  [
    {
      'book.yaml': play('import_tasks: sub/a.yaml'),
      'sub/a.yaml': '- import_tasks: b.yaml\n',
      'sub/b.yaml': '- import_tasks: ../sub/a.yaml\n',
    },
    'sub/b.yaml:1:17: sub/a.yaml imports itself; take one of these imports away: sub/a.yaml → sub/b.yaml → sub/a.yaml',
  ],
  [{ 'book.yaml': play('import_tasks: none.yaml') }, expect.stringMatching(/^book\.yaml:4:21: there is no file .*none\.yaml$/)],
  [
    { 'book.yaml': play('import_tasks: "<%= vars.x %>.yaml"') },
    expect.stringMatching(/^book\.yaml:4:21: the name of an import is not evaluated/),
  ],
  [{ 'book.yaml': play('import_tasks: [a]') }, expect.stringMatching(/^book\.yaml:4:21: the path of a file, relative to this one/)],
  [
    { 'book.yaml': play('import_tasks: a.yaml\n      loop: [1]') },
    expect.stringMatching(/^book\.yaml:5:7: unknown key "loop"; .*allowed: name, when, vars, tags, notify, import_tasks$/),
  ],
  [
    { 'book.yaml': play('import_tasks: a.yaml'), 'a.yaml': 'a: 1\n' },
    'a.yaml:1:1: not a list of tasks; a file of tasks is a list, as under "tasks"',
  ],
  [
    { 'book.yaml': play('import_tasks: a.yaml'), 'a.yaml': '- group: {}\n  x: 1\n' },
    expect.stringMatching(/^a\.yaml:2:3: two words in one entry: group and x/),
  ],
  [
    { 'book.yaml': play('import_tasks: a.yaml'), 'a.yaml': '- gruop: {}\n' },
    expect.stringMatching(/^a\.yaml:1:3: there is no task "gruop"/),
  ],
  [{ 'book.yaml': play('block: x') }, 'book.yaml:4:14: a block is a list of tasks'],
  [
    { 'book.yaml': play('block: []\n      resceu: []') },
    expect.stringMatching(/^book\.yaml:5:7: unknown key "resceu"; did you mean "rescue"\?/),
  ],
  [{ 'book.yaml': '- import_playbook: a.yaml\n', 'a.yaml': 'x\n' }, expect.stringMatching(/^a\.yaml:1:1: not a playbook/)],
])('%j', (files, line) => expect(bindFiles(files).complaint()).toEqual(line));
