/** What a host keeps of the runs that have changed it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseHistory } from '../../src/apply/history.ts';
import { together } from '../../src/cli/commands/history.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const book = (...tasks: readonly string[]): string => `- name: p
  hosts: web1
  tasks:
${tasks.map((task) => `    - ${task}\n`).join('')}`;
const touch = (name: string): string => `{ name: ${name}, command: { run: "touch /srv/${name}", creates: /srv/${name} } }`;
const past = (host: string) =>
  parseHistory(hosts.history(host) ?? '').map(({ run, who, command, changes }) => ({
    ...{ run, who, command },
    changes: changes.map(({ result, title }) => `${result}: ${title}`),
  }));
const by = { who: 'root@control', command: 'lvsctl deploy inventory/dr.yaml' };

test('each run with its changes, those that failed among them; a run that finds nothing to do is none', async () => {
  await hosts.deploy(book(touch('one'), touch('two')));
  await hosts.deploy(book(touch('one'), touch('two')));
  await hosts.deploy(book(touch('three'), '{ name: bad, command: { run: "exit 7", creates: /srv/never } }', touch('four')));
  expect(past('web1')).toEqual([
    { run: 'run-1', ...by, changes: ['done: run touch /srv/one', 'done: run touch /srv/two'] },
    { run: 'run-3', ...by, changes: ['done: run touch /srv/three', 'failed: run exit 7'] },
  ]);
  expect(hosts.history('web2')).toBeUndefined();
});

test('when it was, by the clock of the host, for its root alone', async () => {
  await hosts.deploy(
    book(
      touch('one'),
      '{ name: mode, command: { run: "stat -c %a /var/log/lvsctl /var/log/lvsctl/history >/srv/mode", creates: /srv/mode } }',
    ),
  );
  const [run] = parseHistory(hosts.history('web1') ?? '');
  for (const at of [run?.at, ...(run?.changes ?? []).map((change) => change.at)]) {
    expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Math.abs(Date.parse(at ?? '') - Date.now())).toBeLessThan(600_000);
  }
  expect(hosts.read('web1', 'mode')).toBe('700\n600\n');
});

test('where a run takes the folder away, as a teardown does, it does not come back', async () => {
  await hosts.deploy(book(touch('one')));
  await hosts.deploy(book('{ name: away, command: { run: "rm -r /var/log/lvsctl; touch /srv/away", creates: /srv/away } }', touch('two')));
  expect([hosts.history('web1'), hosts.read('web1', 'two')]).toEqual([undefined, '']);
});

test('a host that cannot keep it is changed all the same', async () => {
  await hosts.deploy(
    book('{ name: spoil, command: { run: "rm -r /var/log/lvsctl; touch /var/log/lvsctl /srv/spoilt", creates: /srv/spoilt } }'),
  );
  expect(await hosts.deploy(book(touch('one')))).toMatchObject({ exitCode: 0, notes: [] });
});

test('a run of which files are still kept can be rolled back', () => {
  const text = 'run\t2026\trun-1\tme\tlvsctl\nrun\t2027\trun-2\tme\tlvsctl\nkept\t\trun-2\nkept\t\trun-3\n';
  const runs = parseHistory(text);
  expect(runs.map(({ run, kept }) => [run, kept])).toEqual([
    ['run-1', undefined],
    ['run-2', true],
  ]);
  const found = together([
    { host: 'dr1', runs },
    { host: 'web1', runs: runs.map(({ kept: _, ...run }) => run) },
  ]);
  expect(found.map(({ run, kept }) => [run, kept])).toEqual([
    ['run-1', false],
    ['run-2', true],
  ]);
});

test('what somebody has written into the file is text', () => {
  const text =
    'run\t2026\trun-1\n\nnonsense\ndone\t2026\trun-9-0-web1-0\tnobody\nrun\t2026\trun-1\tme\tlvsctl\ndone\t2026\trun-1-0-web1-0\t$(id)\n';
  expect(parseHistory(text)).toEqual([
    { run: 'run-1', at: '2026', who: 'me', command: 'lvsctl', changes: [{ at: '2026', result: 'done', title: '$(id)' }] },
  ]);
});

test('a run on several hosts is one, at the time when it came to the first; the latest is the last', () => {
  const run = (name: string, at: string) => ({ run: name, at, ...by, changes: [] });
  const runs = together([
    { host: 'dr1', runs: [run('b', '2026-11-02'), run('c', '2026-11-03')] },
    { host: 'web1', runs: [run('a', '2026-11-01'), run('b', '2026-11-01T1')] },
  ]);
  expect(runs.map(({ run: name, at, hosts: on }) => [name, at, on.map(({ host }) => host).join()])).toEqual([
    ['a', '2026-11-01', 'web1'],
    ['b', '2026-11-01T1', 'dr1,web1'],
    ['c', '2026-11-03', 'dr1'],
  ]);
});
