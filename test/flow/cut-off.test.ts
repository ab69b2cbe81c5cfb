/** What a run that was cut off leaves behind, and what the next one makes of it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
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
