/** Secrets that a host has by now, in places where nobody has put a slot: old lines, old files, what checks find. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Report } from '../../src/model.ts';
import { workOf } from '../../src/plan/saved.ts';
import { defineCheck, sh } from '../../src/task.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

// Runs after runs, for real: they take their time on a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const value = 'hunter2hunter2';
const secrets = { db: value };
const play = (tasks: string, more = ''): string => `- name: p\n  hosts: web1\n  vars: { db: !secret db }\n${more}  tasks:\n${tasks}`;
const diffOf = (report: Report): readonly string[] =>
  report.hosts.flatMap(({ steps }) => steps.flatMap(({ changes }) => changes.flatMap(({ diff }) => diff)));

test('a value that stands in a changed line, in a dropped one, in one that stays, or in a script, is not shown', async () => {
  hosts.write('web1', 'conf', `password=${value}\nuser=app\ndrop ${value}\nkeep "${value}"\n`);
  hosts.write('web1', 'lines', `old ${value}\nnew\n`);
  const book =
    play(`    - { name: conf, copy: { dest: /srv/conf, content: "pass=<%= vars.db %>\\nuser=app\\nkeep \\"<%= vars.db %>\\"\\n" } }
    - { name: line, line_in_file: { path: /srv/lines, regexp: "^old ", state: absent } }
`);
  let saved = '';
  const planned = await hosts.plan(book, { secrets });
  expect(diffOf(planned)).toEqual([
    ...['-password=[secret db]', '+pass=[secret db]', ' user=app', '-drop [secret db]', ' keep "[secret db]"'],
    ...['-old [secret db]', ' new'],
  ]);
  const answer = (_: Report, plan: Parameters<typeof workOf>[0]) => {
    saved = JSON.stringify([plan, workOf(plan)]);
    return { leaveOut: new Set<string>() };
  };
  const done = await hosts.deploy(book, { secrets, answer });
  expect(done).toMatchObject({ exitCode: 0, notes: [] });
  expect(saved).toContain('conf');
  for (const shown of [planned, done, saved, hosts.history('web1')]) expect(JSON.stringify(shown)).not.toContain(value);
  expect(hosts.read('web1', 'conf')).toBe(`pass=${value}\nuser=app\nkeep "${value}"\n`);
  expect(hosts.read('web1', 'lines')).toBe('new\n');
});

test('what a rollback puts back, or takes away, is shown without it', async () => {
  const write = (content: string): string => play(`    - { name: a, copy: { dest: /srv/a, content: "${content}\\n" } }\n`);
  await hosts.deploy(write('pass=<%= vars.db %>'), { secrets });
  await hosts.deploy(write('none'), { secrets });
  const checked = await hosts.rollback({}, { check: true, limit: 'web1', secrets });
  expect(diffOf(checked)).toEqual(expect.arrayContaining(['-none', '+pass=[secret db]']));
  const done = await hosts.rollback({}, { limit: 'web1', secrets });
  expect(JSON.stringify([checked, done])).not.toContain(value);
  expect(hosts.read('web1', 'a')).toBe(`pass=${value}\n`);
});

test('what a gate finds is shown without it', async () => {
  const finds = defineCheck({
    summary: 'Finds what is there.',
    params: z.strictObject({}),
    from: ['backend'],
    probe: () => sh`cat /srv/a`,
    expect: (looks) =>
      looks.map(({ host, output: { stdout } }) => {
        const said = stdout.trim();
        return { status: 'fail', host: host.name, found: `found ${said}`, expected: `not ${said}`, fix: `remove ${said}` };
      }),
    example: {},
  });
  const tasks = '    - { name: a, copy: { dest: /srv/a, content: "<%= vars.db %>\\n" } }\n';
  const book = play(tasks, '  serial: 1\n  gate: [{ finds: {} }]\n').replace('hosts: web1', 'hosts: backends');
  const report = await hosts.deploy(book, { secrets, checks: new Map([['finds', finds]]) });
  expect(report.checks[0]).toMatchObject({ found: 'found [secret db]', expected: 'not [secret db]', fix: 'remove [secret db]' });
  expect(JSON.stringify(report)).not.toContain(value);
});
