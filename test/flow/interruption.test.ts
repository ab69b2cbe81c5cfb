/** A run that is asked to stop: what is at work is finished, nothing else is begun, and the same command goes on from there. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Report } from '../../src/model.ts';
import { defineCheck, sh } from '../../src/task.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const book = (tasks: string, play = 'hosts: web1'): string => `- name: p
  ${play}
  tasks:
${tasks}  handlers:
    - { name: tell, command: { run: "echo told >>/srv/told" } }
`;
const task = (name: string, run: string): string =>
  `    - { name: ${name}, command: { run: "${run}; echo ${name} >>/srv/marks; touch /srv/${name}", creates: /srv/${name} }, notify: tell }\n`;
/** Waits until somebody lets it go on. */
const held = 'touch /srv/began; until [ -e /srv/go ]; do sleep 0.1; done';

/** Asks it to stop when a host has begun the step that waits, and lets that step go on. */
async function stopped(text: string, begun: string, options: object = {}): Promise<Report> {
  const asked = new AbortController();
  const run = hosts.deploy(text, { ...options, stop: asked.signal });
  await vi.waitFor(() => expect(hosts.read(begun, 'began')).toBe(''), { timeout: 20_000, interval: 50 });
  asked.abort();
  // It must have come to the host before the step is over.
  await new Promise((wake) => setTimeout(wake, 500));
  hosts.write(begun, 'go', '');
  return run;
}

const results = (report: Report) =>
  report.hosts
    .flatMap(({ name, steps }) => steps.map((step) => `${name} ${step.name} ${step.status}`))
    .filter((line) => !/ ok$/.test(line));

test('the step at work is finished, none is begun after it, its handler is owed, and the same command does the rest', async () => {
  const text = book(task('one', held) + task('two', ':') + task('three', ':'));
  const report = await stopped(text, 'web1');
  expect(report.exitCode).toBe(130);
  expect(results(report)).toEqual(['web1 one changed', 'web1 two not-run', 'web1 three not-run']);
  expect(report.notes).toEqual([
    'interrupted: what was at work was finished, and nothing was begun after it; "lvsctl deploy inventory/dr.yaml" goes on from here',
  ]);
  expect(hosts.read('web1', 'marks')).toBe('one\n');
  expect(hosts.read('web1', 'told')).toBeUndefined();

  expect(await hosts.deploy(text)).toMatchObject({ exitCode: 0, notes: [], summary: { failed: 0 } });
  expect(hosts.read('web1', 'marks')).toBe('one\ntwo\nthree\n');
  expect(hosts.read('web1', 'told')).toBe('told\n');
});

test('no host is begun after it, in the same batch or in a later one', async () => {
  const text = book(task('one', held), 'hosts: backends\n  serial: 1');
  const report = await stopped(text, 'web1');
  expect({ exit: report.exitCode, web2: hosts.read('web2', 'began') }).toEqual({ exit: 130, web2: undefined });
  expect(results(report)).toEqual(['web1 one changed', 'web2 one not-run']);
  hosts.write('web2', 'go', '');
  expect(await hosts.deploy(text)).toMatchObject({ exitCode: 0, notes: [], summary: { failed: 0 } });
  expect(['web1', 'web2'].map((host) => hosts.read(host, 'told'))).toEqual(['told\n', 'told\n']);
});

test('one host at a time: the one that waits for its turn is not begun', async () => {
  const report = await stopped(book(task('one', held), 'hosts: backends'), 'web1', { forks: 1 });
  expect({ exit: report.exitCode, web2: hosts.read('web2', 'began') }).toEqual({ exit: 130, web2: undefined });
});

test('a step that fails in the end has failed', async () => {
  const report = await stopped(book(task('one', `${held}; exit 1`) + task('two', ':')), 'web1');
  expect(report.exitCode).toBe(130);
  expect(results(report)).toEqual(['web1 one failed', 'web1 two not-run']);
});

test('asked before anything is begun, it begins nothing', async () => {
  const report = await hosts.deploy(book(task('one', ':')), { stop: AbortSignal.abort() });
  expect(report.exitCode).toBe(130);
  expect(hosts.read('web1', 'marks')).toBeUndefined();
});

/** What it looks at never comes. */
const endless = defineCheck({
  ...{ summary: 'never', params: z.strictObject({}), from: ['backend'], probe: () => sh`touch /srv/looks; sleep 600`, example: {} },
  expect: () => [],
});

test.each([
  ['the cluster has not settled', false],
  ['it is verified', true],
])('asked when all is done and %s, it waits for nothing more', async (_, looks) => {
  const asked = new AbortController();
  const text = `${book(task('one', ':'))}  checks:\n    - endless: {}\n`;
  const run = hosts.deploy(text, { checks: new Map([['endless', endless]]), verify: true, stop: asked.signal });
  await vi.waitFor(() => expect(hosts.read('web1', looks ? 'looks' : 'told')).toBeDefined(), { timeout: 60_000, interval: 50 });
  asked.abort();
  const report = await run;
  expect(report).toMatchObject({ exitCode: 130, checks: [], summary: { failed: 0, changed: 1 } });
  expect(results(report)).toEqual(['web1 one changed']);
});

test('what would be tried again and again behind a barrier is not, and has not failed', async () => {
  const asked = new AbortController();
  const text = `- name: p
  hosts: web1
  tasks:
    - { name: one, command: { run: "touch /srv/one", creates: /srv/one } }
    - { name: two, query: { run: "touch /srv/looks; test -e /srv/never" }, until: result.exit === 0, retries: 50, delay: 3600 }
`;
  const run = hosts.deploy(text, { stop: asked.signal });
  await vi.waitFor(() => expect(hosts.read('web1', 'looks')).toBeDefined(), { timeout: 60_000, interval: 50 });
  await new Promise((wake) => setTimeout(wake, 1000));
  asked.abort();
  const report = await run;
  expect(report).toMatchObject({ exitCode: 130, summary: { failed: 0 } });
});
