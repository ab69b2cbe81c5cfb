/** What a run that was cut off leaves behind, and what the next one makes of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineTask, sh } from '../../src/task.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const book = (tasks: string): string => `- name: p
  hosts: web1
  tasks:
${tasks}  handlers:
    - { name: tell .everybody/now, command: { run: "echo told >>/srv/told" } }
`;
const change = (run: string): string =>
  `    - { name: change, command: { run: "${run}", creates: /srv/changed }, notify: tell .everybody/now }\n`;
/** Ends its own runner, as the kernel does when memory is short. */
const killed = `touch /srv/changed; kill -9 $(cat $LVSCTL_RUN/started/pid); sleep 1`;
const after = '    - { name: after, command: { run: "touch /srv/after", creates: /srv/after } }\n';

test('a handler that was notified and never run is shown by the next plan, and done by the next deploy, once', async () => {
  const cut = await hosts.deploy(book(change(killed)));
  expect(cut).toMatchObject({ exitCode: 1, summary: { failed: 1 } });
  expect(hosts.read('web1', 'told')).toBeUndefined();

  const plan = await hosts.plan(book(change('touch /srv/changed')));
  expect(plan).toMatchObject({ exitCode: 2, summary: { changed: 1 } });
  const owed = plan.hosts.flatMap(({ steps }) => steps.flatMap(({ changes }) => changes.map(({ title }) => title)));
  expect(owed).toEqual(['handler tell .everybody/now: an earlier run was cut off before it']);

  expect(await hosts.deploy(book(change('touch /srv/changed')))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 1 } });
  expect(hosts.read('web1', 'told')).toBe('told\n');
  expect(await hosts.deploy(book(change('touch /srv/changed')))).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
  expect(hosts.read('web1', 'told')).toBe('told\n');
});

test('a handler that is owed and notified again runs once', async () => {
  await hosts.deploy(book(change(killed)));
  const again = '    - { name: again, command: { run: "touch /srv/again", creates: /srv/again }, notify: tell .everybody/now }\n';
  expect(await hosts.deploy(book(again))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 1 } });
  expect(hosts.read('web1', 'told')).toBe('told\n');
});

test('a step that fails leaves its handler owed: it may have changed something before it failed', async () => {
  expect(await hosts.deploy(book(change('touch /srv/changed; false')))).toMatchObject({ exitCode: 1 });
  expect(await hosts.deploy(book(change('false') + after))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 2 } });
  expect(hosts.read('web1', 'told')).toBe('told\n');
});

test('a handler that is owed does not wait for a rescue that notifies it, too', async () => {
  await hosts.deploy(book(change(killed)));
  const line = (name: string): string =>
    `        - { name: ${name}, command: { run: "touch /srv/${name}", creates: /srv/${name} }, notify: tell .everybody/now }\n`;
  const block = book(`    - block:\n${line('changed')}      rescue:\n${line('mend')}`);
  expect(await hosts.plan(block)).toMatchObject({ exitCode: 2, summary: { changed: 1 } });
  expect(await hosts.deploy(block)).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 1 } });
  expect([hosts.read('web1', 'told'), hosts.read('web1', 'mend')]).toEqual(['told\n', undefined]);
  expect(await hosts.plan(block)).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
});

test('a host that is lost after its last step, before it has told the end of its run, has failed, and nothing comes after it', async () => {
  // What follows the last step ends the runner, and is none of the plan's.
  const last = `echo 'step 7 60 - 1 0 top' >>$LVSCTL_RUN/list; echo 'kill -9 $(cat $LVSCTL_RUN/started/pid); sleep 1' >$LVSCTL_RUN/7.run; touch /srv/last`;
  const one = `- name: p\n  hosts: backends\n  tasks:\n    - { name: last, command: { run: "${last}", creates: /srv/last } }\n`;
  const report = await hosts.deploy(one);
  expect(report).toMatchObject({ exitCode: 1, ok: false, summary: { changed: 1, failed: 0 } });
  expect(report.notes).toContainEqual(expect.stringMatching(/^web1 was lost before it told how its run ended: /));
  expect([hosts.read('web1', 'last'), hosts.read('web2', 'last')]).toEqual(['', undefined]);
});

describe('a change that is delegated', () => {
  const away = (run: string): string =>
    `    - { name: away, delegate_to: dr1, command: { run: "${run}", creates: /srv/changed }, notify: tell .everybody/now }\n`;

  test("leaves the play's handler owed on the play's host when the run ends in between", async () => {
    expect(await hosts.deploy(book(away('touch /srv/changed') + after.replace('touch /srv/after', 'false')))).toMatchObject({
      exitCode: 1,
    });
    expect([hosts.read('dr1', 'changed'), hosts.read('web1', 'told')]).toEqual(['', undefined]);
    expect(await hosts.plan(book(away('touch /srv/changed')))).toMatchObject({ exitCode: 2, summary: { changed: 1 } });
    expect(await hosts.deploy(book(away('touch /srv/changed')))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 1 } });
    expect([hosts.read('web1', 'told'), hosts.read('dr1', 'told')]).toEqual(['told\n', undefined]);
    expect(await hosts.plan(book(away('touch /srv/changed')))).toMatchObject({ exitCode: 0 });
  });

  test('owes nothing where there was nothing to do when its turn came', async () => {
    const first = `    - { name: first, delegate_to: dr1, command: { run: "touch /srv/changed; touch /srv/first", creates: /srv/first } }\n`;
    expect(await hosts.deploy(book(first + away('false')))).toMatchObject({ exitCode: 0, notes: [] });
    expect(hosts.read('web1', 'told')).toBeUndefined();
    expect(await hosts.plan(book(first + away('false')))).toMatchObject({ exitCode: 0 });
  });

  test("leaves its task's own handler owed where it was done, also where the host has no other part in the play", async () => {
    const word = (run: string) =>
      defineTask({
        summary: 'a word',
        params: z.strictObject({}),
        touches: () => ['file:/srv/word'],
        probe: () => sh`cat /srv/word`,
        parse: ({ exit }) => exit === 0,
        plan: (seen) =>
          seen ? [] : [{ id: 'word', title: 'say it', was: '', will: 'word\n', run: sh`sh -c -- ${run}`, notify: ['word.heard'] }],
        settled: () => 'it is said',
        handlers: () => ({ 'word.heard': { run: sh`echo heard >>/srv/heard` } }),
        example: {},
      });
    const tasks = (run: string) => ({ tasks: new Map([['word', word(run)]]) });
    const delegated = '- name: p\n  hosts: web1\n  tasks:\n    - { name: word, delegate_to: dr1, word: {} }\n';
    expect(await hosts.deploy(delegated, tasks('echo word >/srv/word; false'))).toMatchObject({ exitCode: 1 });
    expect(await hosts.deploy(delegated, tasks('false'))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 1 } });
    expect([hosts.read('dr1', 'heard'), hosts.read('web1', 'heard')]).toEqual(['heard\n', undefined]);
    expect(await hosts.plan(delegated, tasks('false'))).toMatchObject({ exitCode: 0 });
  });
});
