import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Fleet } from '../../src/model.ts';
import { readExtraVars } from '../../src/playbook/extra-vars.ts';
import { bindText, complaintOf, fleet } from './support.ts';

const withVars: Fleet = {
  ...fleet,
  vars: { port: 1, colour: 'red', raw: '<%= 1 + 1 %>' },
  hosts: fleet.hosts.map((host) => ({
    ...host,
    vars: { port: 1, colour: 'red', raw: '<%= 1 + 1 %>', ...(host.name === 'web1' && { port: 2, own: true }) },
  })),
};

/** What each host's steps say, made with `command`, whose only free text is what it runs. */
const runs = (text: string, extraVars: Readonly<Record<string, unknown>> = {}) =>
  bindText(text, { extraVars }, withVars).flatMap(({ steps }) =>
    Object.values(steps).flatMap((list) => list.map(({ want }) => (want as { run: string }).run)),
  );
const echo = (expression: string): string => `command: { run: "${expression}", creates: /x }`;

test('task wins over play, play over host, host over cluster, the command line over all', () => {
  const book = `
- name: p
  hosts: web1
  vars: { b: play, c: play, e: play }
  tasks:
    - vars: { c: task }
      ${echo('<%= vars.colour %> <%= vars.port %> <%= vars.b %> <%= vars.c %> <%= vars.e %>')}
`;
  expect(runs(book)).toEqual(['red 2 play task play']);
  expect(runs(book, { e: 'extra', port: 9 })).toEqual(['red 9 play task extra']);
});

test("the playbook's own values may use each other, the host and what is above; what the inventory says is never evaluated", () => {
  const book = `
- name: p
  hosts: web1
  vars: { dir: "/srv/<%= host.name %>", file: "<%= vars.dir %>/<%= vars.colour %>" }
  tasks:
    - ${echo('<%= vars.file %> <%= vars.raw %>')}
`;
  expect(runs(book)).toEqual(['/srv/web1/red <%= 1 + 1 %>']);
  expect(runs(book, { colour: '<%= 2 %>' })).toEqual(['/srv/web1/<%= 2 %> <%= 1 + 1 %>']);
});

test('"in" asks whether a variable is there', () => {
  expect(runs(`- name: p\n  hosts: backends\n  tasks:\n    - ${echo("<%= 'own' in vars ? 'yes' : 'no' %>")}\n`)).toEqual(['yes', 'no']);
});

test('a condition that waits for facts keeps its variables for then', () => {
  const [play] = bindText(
    "- name: p\n  hosts: web1\n  vars: { want: '<%= facts.release %>' }\n  tasks:\n    - group: { name: a }\n      when: vars.want === '12'\n",
    { extraVars: { more: 1 } },
    withVars,
  );
  expect(play?.steps.web1?.[0]).toMatchObject({
    when: "vars.want === '12'",
    vars: { given: { port: 2, more: 1 }, made: { want: '<%= facts.release %>' } },
  });
});

const book = (vars: string, task: string): string => `- name: p\n  hosts: web1\n  vars: ${vars}\n  tasks:\n    - ${task}\n`;

test.each([
  [
    book('{ colour: red }', echo('<%= vars.color %>')),
    'book.yaml:5:23: vars.color is not defined; did you mean "vars.colour"? there are: colour',
  ],
  [book('{ }', echo('a <%= vars.color %>')), 'book.yaml:5:23: vars.color is not defined; there are none'],
  [book('{ path: "<%= vars.root %>" }', echo('<%= vars.path %>')), 'book.yaml:3:17: vars.path: vars.root is not defined; there are: path'],
  [
    book('{ a: "<%= vars.b %>", b: "<%= vars.a %>" }', echo('<%= vars.a %>')),
    'book.yaml:3:34: vars.b: vars.a is made of itself; use another name for one of the two',
  ],
  [
    book('{ colour: red }', "group: { name: a }\n      when: facts.release === '12' && vars.color"),
    'book.yaml:6:13: when: vars.color is not defined; did you mean "vars.colour"? there are: colour',
  ],
  [
    book('{ }', "group: { name: a }\n      when: facts.distribtuion === 'debian'"),
    expect.stringMatching(/^book\.yaml:6:13: when: there is no facts\.distribtuion; did you mean "distribution"\? /),
  ],
  [
    book('{ a: "<%= facts.release %>" }', echo('<%= vars.a %>')),
    'book.yaml:5:23: facts.release is not known here; it may be used in "when", and here behind "barrier: true"',
  ],
  [book('[a]', echo('x')), expect.stringMatching(/^book\.yaml:3:9: vars is a mapping of names to values/)],
])('%j', (text, line) => expect(complaintOf(() => bindText(text))).toEqual(line));

test('-e: text, JSON, a file; the last word counts', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'lvsctl-vars-')), 'more.yaml');
  writeFileSync(file, 'a: [1]\npass: !secret db\n');
  expect(readExtraVars(['a=1', 'b=x=y', '{"c": {"d": true}}', `@${file}`])).toMatchObject({
    values: { a: [1], b: 'x=y', c: { d: true } },
    secretNames: ['db'],
  });
  writeFileSync(file, '- 1\n');
  expect(complaintOf(() => readExtraVars([`@${file}`]))).toBe(`${file}:1:1: not a mapping of names to values; write NAME: VALUE`);
});

test.each(['', 'a', '=1', '1a=2', '@/nowhere/at/all'])('-e %j is refused', (word) =>
  expect(complaintOf(() => readExtraVars([word]))).toMatch(/NAME=VALUE|no such file/),
);
