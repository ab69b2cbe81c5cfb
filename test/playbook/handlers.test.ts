import { expect, test } from 'vitest';
import type { Seen } from '../../src/model.ts';
import { planBatches } from '../../src/plan/plan.ts';
import { renderSh } from '../../src/sh/sh.ts';
import { planContext } from '../support/plan-context.ts';
import { bindText, complaintOf, fleet, registry } from './support.ts';

const book = (rest: string): string => `- name: p\n  hosts: web1\n  tasks:\n    - service: { name: app }\n      tags: s\n${rest}`;

/** The handlers that a host's plan runs when every command is still to be done. */
function planned(text: string, tags: readonly string[] = []) {
  const plays = bindText(text, { tags });
  const outputs = Object.fromEntries((plays[0]?.steps.web1 ?? []).map(({ id }) => [id, { stdout: '', stderr: '', exit: 0 }]));
  const seen: Seen = { host: 'web1', reached: true, facts: { ...planContext().facts, release: '12' }, outputs };
  const [batch] = planBatches({
    fleet,
    plays,
    registry,
    seen: { web1: seen },
    resolve: (value) => value,
    conceal: (value) => value,
  }).batches;
  const [host] = batch?.hosts ?? [];
  return { host, runs: host?.handlers.map(({ name, handler }) => `${name}: ${renderSh(handler.run, (value) => value)}`) };
}
const notifies = (names: string): string => `    - command: { run: x, creates: /x }\n      tags: c\n      notify: ${names}\n`;

test("a handler that comes with a task, and the play's own of the same name, which wins", () => {
  expect(planned(book(notifies('reload app'))).host?.handlers.map(({ name }) => name)).toEqual(['reload app']);
  const own = `${book(notifies('reload app'))}  handlers:\n    - name: reload app\n      command: { run: "kill -HUP <%= host.name %>" }\n`;
  expect(planned(own).runs).toEqual(["reload app: sh -c -- 'kill -HUP web1' </dev/null"]);
});

test('a handler of a task that the tags leave out may still be notified', () => {
  const { host } = planned(book(notifies('reload app')), ['c']);
  expect(host?.steps.map(({ step }) => step.task)).toEqual(['command']);
  expect(host?.handlers.map(({ name }) => name)).toEqual(['reload app']);
});

test('handlers run in the order of the play, each once; several may listen to one name; a condition may need facts', () => {
  const { host } = planned(
    `${book(notifies('[c, topic, c]'))}  handlers:
    - { name: a, listen: topic, command: { run: a } }
    - { name: b, listen: [topic], command: { run: b }, when: "facts.release === '11'" }
    - { name: c, service: { name: app, state: restarted }, when: "facts.release === vars.wanted", vars: { wanted: '12' } }
    - { name: d, listen: topic, command: { run: d }, when: false }
    - { name: e, command: { run: e } }
`,
  );
  expect(host?.handlers.map(({ name }) => name)).toEqual(['a', 'c']);
  expect(host?.steps.at(-1)?.changes[0]?.notify).toEqual(['c', 'a']);
});

test.each([
  [
    book(notifies('relaod app')),
    'book.yaml:8:15: nothing in this play defines the handler "relaod app" for web1; did you mean "reload app"? defined here: restart app, reload app',
  ],
  [
    '- name: p\n  hosts: web1\n  tasks:\n    - group: { name: a }\n      notify: [x]\n',
    'book.yaml:5:16: nothing in this play defines the handler "x" for web1; none of its tasks defines one; write handlers: beside tasks:',
  ],
  [
    book('  handlers:\n    - name: h\n      group: { name: a }\n'),
    'book.yaml:8:7: group cannot be a handler; can be: command, reboot, service',
  ],
  [book('  handlers:\n    - command: { run: a }\n'), 'book.yaml:7:7: a handler without a name; a handler is notified by its name'],
  [
    book('  handlers:\n    - name: h\n      command: { run: a, creates: /x }\n'),
    expect.stringMatching(/^book\.yaml:8:26: command has no parameter "creates"; it takes /),
  ],
  [
    book('  handlers:\n    - name: h\n      command: { run: "<%= facts.release %>" }\n'),
    expect.stringMatching(/^book\.yaml:8:23: facts\.release/),
  ],
  [book('  handlers:\n    - name: h\n      listen: 1\n      command: { run: a }\n'), expect.stringMatching(/^book\.yaml:8:15: not a name/)],
])('%j', (text, line) => expect(complaintOf(() => bindText(text))).toEqual(line));
