/** What Ansible users type from habit and what would be wrong in silence: each is said, at its place, with what to write instead. */
import { expect, test } from 'vitest';
import { readExtraVars } from '../../src/playbook/extra-vars.ts';
import { bindText, complaintOf } from './support.ts';

const play = (rest: string): string => `- name: p\n  hosts: web1\n${rest}`;
const task = (text: string): string => play(`  tasks:\n    - ${text}\n`);

test.each([
  [task('apt: { name: curl }'), 'book.yaml:4:7: there is no task "apt"; write package'],
  [task('ansible.builtin.copy: { path: /a }'), 'book.yaml:4:7: there is no task "ansible.builtin.copy"; write copy'],
  [task('ansible.builtin.uri: { url: x }'), 'book.yaml:4:7: there is no task "ansible.builtin.uri"; write http_check'],
  [
    task('query: { run: id }\n      become_user: app'),
    'book.yaml:5:7: there is no "become_user"; every task runs as root; a command for another user is run: "runuser -u NAME -- …"',
  ],
  [
    task('query: { run: id }\n      no_log: true'),
    'book.yaml:5:7: there is no "no_log"; write !secret NAME for the value: it is never shown',
  ],
  [
    play('  vars: { flag: no }\n  tasks:\n    - query: { run: id }\n      when: vars.flag\n'),
    `book.yaml:6:13: when: it is the text "no", and any text counts as true; compare it, as in vars.flag === 'no', or give true or false itself: in YAML, or -e '{"NAME": false}'`,
  ],
  [
    task('directory: { path: "/srv/{{ item }}" }\n      loop: [a]'),
    'book.yaml:4:26: {{ item }} is plain text here; a value is written <%= item %>',
  ],
  [
    play('  vars: { port: 80 }\n  tasks:\n    - query: { run: "echo {{ port }}" }\n'),
    'book.yaml:5:21: {{ port }} is plain text here; a value is written <%= vars.port %>',
  ],
  [
    task('template: { path: /etc/app.conf, template: templates/app.conf.j2 }'),
    expect.stringMatching(/^book\.yaml:4:50: template\.template: a file of a template ends in \.ejs; this would be its whole text/),
  ],
])('%j', (text, line) => expect(complaintOf(() => bindText(text))).toEqual(line));

test('braces of a program, and lists of hosts, are let through', () => {
  const plays = bindText(`- name: p\n  hosts: [web1, dr1]\n  tasks:\n    - query: { run: "docker ps --format '{{ .Names }}'" }\n`);
  expect(Object.keys(plays[0]?.steps ?? {})).toEqual(['dr1', 'web1']);
  expect(plays[0]?.steps.web1?.[0]?.want).toEqual({ run: "docker ps --format '{{ .Names }}'" });
});

test('-e takes one variable', () => {
  expect(complaintOf(() => readExtraVars(['a=1 b=2']))).toBe(
    '--extra-vars "a=1 b=2" gives a a value with "b=" in it; write -e once for each variable, or a JSON object if that is meant',
  );
});
