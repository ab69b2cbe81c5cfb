import { expect, test } from 'vitest';
import { turnName } from '../../src/playbook/loop.ts';
import { secretSlot } from '../../src/sh/secret.ts';
import { bindText, complaintOf } from './support.ts';

const steps = (text: string) => bindText(`- name: p\n  hosts: web1\n  vars: { users: [ada, bob] }\n  tasks:\n${text}`)[0]?.steps.web1 ?? [];

test('a step for each value of a list, with the value in its name', () => {
  const list = steps(
    '    - name: accounts\n      group: { name: "<%= item.name %>", gid: "<%= 100 + loop_index %>" }\n      loop: [{ name: a }, { name: b }]\n',
  );
  expect(list.map(({ id, name, want }) => [id, name, want])).toMatchObject([
    ['0.0.0', 'accounts (a)', { name: 'a', gid: 100 }],
    ['0.0.1', 'accounts (b)', { name: 'b', gid: 101 }],
  ]);
});

test('a list from a variable, a name that names the value itself, a condition on the value, variables made of it', () => {
  const list = steps(`    - name: account of <%= item %>
      group: { name: "<%= vars.full %>" }
      vars: { full: "g-<%= item %>" }
      loop: "<%= vars.users %>"
      when: item !== 'bob'
`);
  expect(list.map(({ name, want }) => [name, want])).toMatchObject([['account of ada', { name: 'g-ada' }]]);
});

test('no values, no steps; a condition on facts keeps the value for then', () => {
  expect(steps('    - group: { name: "<%= item %>" }\n      loop: []\n')).toEqual([]);
  expect(steps('    - group: { name: a }\n      loop: [12]\n      when: facts.release === item\n')[0]).toMatchObject({
    when: 'facts.release === item',
    vars: { loop: { item: 12, index: 0 } },
  });
});

test.each([
  ['text', 'text'],
  [{ path: 7 }, 7],
  [[[]], 1],
  [secretSlot('db'), secretSlot('db')],
  ['a\nb', 'a…'],
])('the name of a turn over %j', (item, label) => expect(turnName('n', { item, index: 0 })).toBe(`n (${label})`));

test.each([
  [
    'ada',
    'book.yaml:6:13: loop is the text "ada", not a list; write a list, [a, b], or one expression alone, "<%= … %>", that gives a list',
  ],
  ['"x<%= vars.users %>"', expect.stringMatching(/^book\.yaml:6:13: loop is the text "xada,bob", not a list/)],
  ['{ a: 1 }', expect.stringMatching(/^book\.yaml:6:13: loop is a mapping, not a list; write Object\.entries/)],
  ['"<%= vars.none %>"', expect.stringMatching(/^book\.yaml:6:13: vars\.none is not defined/)],
  ['"<%= facts.cpus %>"', expect.stringMatching(/^book\.yaml:6:13: facts\.cpus is not known here/)],
  ['', expect.stringMatching(/^book\.yaml:6:7: loop is nothing, not a list/)],
  ['[1]\n      when: itme', expect.stringMatching(/^book\.yaml:7:13: when: itme is not defined/)],
])('loop: %s', (loop, line) => {
  expect(complaintOf(() => steps(`    - group: { name: "<%= item %>" }\n      loop: ${loop}\n`))).toEqual(line);
});
