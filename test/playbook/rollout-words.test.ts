/** Slips in what a playbook says of failures, phases and batches, each found at its place before any host is asked. */
import { expect, test } from 'vitest';
import { bindText, complaintOf } from './support.ts';

const task = (settings: string): string => `- name: p\n  hosts: web1\n  tasks:\n    - query: { run: id }\n      ${settings}\n`;
const play = (settings: string): string => `- name: p\n  ${settings}\n`;

test.each([
  [
    task('delegate_to: web3'),
    'book.yaml:5:20: delegate_to: there is no host "web3"; did you mean "web1"? a task is delegated to a host of the inventory: dr1, dr2, web1, web2, probe',
  ],
  [
    task('delegate_to: [web2]'),
    'book.yaml:5:20: delegate_to is the name of a host; an entry is a word with its parameters, such as "group: { name: web }"',
  ],
  [task('register: two words'), expect.stringMatching(/^book\.yaml:5:17: register is a name such as "kernel"/)],
  [task('retries: 0'), expect.stringMatching(/^book\.yaml:5:16: retries is at least 1/)],
  [task('retries: often'), expect.stringMatching(/^book\.yaml:5:16: retries is a whole number/)],
  [task('delay: 3'), 'book.yaml:5:7: delay without until or retries; say how often to try: retries: 3'],
  [task('run_once: maybe'), expect.stringMatching(/^book\.yaml:5:17: run_once is true or false/)],
  [task('until: result.exit === 0\n      loop: [1, 2]'), 'book.yaml:5:7: until and loop in one task; write one task for each value'],
  [task('utnil: result.exit === 0'), 'book.yaml:5:7: two words in one entry: query and utnil; did you mean "until"?'],
  [
    '- name: p\n  hosts: web1\n  tasks:\n    - service: { name: nginx }\n      until: result.exit === 0\n',
    expect.stringMatching(/^book\.yaml:5:14: until needs a task that says something, and service does not; use a task that looks/),
  ],
  [
    task('when: registered.colour.exit === 0'),
    expect.stringMatching(/^book\.yaml:5:13: when: no task registers "colour"; no task has "register"/),
  ],
  [
    `${task('register: colour')}    - query: { run: "<%= registered.color.stdout %>" }\n`,
    'book.yaml:6:21: no task registers "color"; did you mean "colour"? there are: colour',
  ],
  [
    `${task('register: colour')}    - query: { run: "<%= registered.colour.stdout %>" }\n`,
    'book.yaml:6:21: registered.colour is not known here; it may be used in "when", and here behind "barrier: true"',
  ],
  [
    // What comes later has not been said yet.
    '- name: p\n  hosts: web1\n  tasks:\n    - query: { run: id }\n      when: registered.colour.changed\n    - query: { run: id }\n      register: colour\n',
    expect.stringMatching(/^book\.yaml:5:13: when: no task registers "colour"/),
  ],
  [
    '- name: p\n  hosts: web1\n  tasks:\n    - block:\n        - barrier: true\n      always: []\n',
    'book.yaml:5:11: a barrier cannot stand in a block with rescue or always; put it before or after the block',
  ],
  [
    '- name: p\n  hosts: web1\n  tasks:\n    - block:\n        - query: { run: id }\n          until: result.exit === 0\n      rescue: []\n',
    'book.yaml:6:18: until cannot stand in a block with rescue or always; put it before or after the block',
  ],
  [
    `${task('register: said')}    - query: { run: id }\n      register: said\n`,
    'book.yaml:6:7: "said" is registered already, at line 4; give it another name',
  ],
  [play('serial: 0'), expect.stringMatching(/^book\.yaml:2:11: a number of hosts from 1, or a percentage such as "30%"/)],
  [play('serial: [1, 120%]'), expect.stringMatching(/^book\.yaml:2:(11|15): a number of hosts/)],
  [play('max_fail: few'), expect.stringMatching(/^book\.yaml:2:13: a number of hosts, or a percentage such as "30%"/)],
  [
    play('any_errors_fatal: true'),
    expect.stringMatching(/^book\.yaml:2:3: unknown key "any_errors_fatal"; a failed host stops the rollout/),
  ],
  [
    play('gate:\n    - kepalived_service: {}'),
    expect.stringMatching(/^book\.yaml:3:7: there is no check "kepalived_service"; did you mean "keepalived_service"\?/),
  ],
])('%j', (text, line) => expect(complaintOf(() => bindText(text))).toEqual(line));

test('a task that --start-at does not find', () => {
  expect(complaintOf(() => bindText(task('name: who am I'), { startAt: 'who I am' }))).toBe(
    '--start-at: no task is called "who I am"; there are: who am I',
  );
});
