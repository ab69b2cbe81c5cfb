/** What lvsctl is about to touch on a host for the first time is copied to the control machine before. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const copies = (): string => join(hosts.store, 'before');
const write = (...names: readonly string[]): string =>
  `- name: p\n  hosts: web1\n  tasks:\n${names.map((name) => `    - { name: ${name}, copy: { dest: "/srv/${name}", content: ours } }\n`).join('')}`;
const tar = (...words: readonly string[]): string => execFileSync('tar', words, { encoding: 'utf8' });

test('once, as it was, for nobody else to read; what was not there is not in it', async () => {
  hosts.write('web1', 'old', 'mine');
  await hosts.plan(write('old', 'new'));
  expect(existsSync(copies())).toBe(false);
  expect(await hosts.deploy(write('old', 'new'))).toMatchObject({ exitCode: 0, notes: [] });
  await hosts.deploy(write('more'));
  const [cluster = ''] = readdirSync(copies());
  const folder = join(copies(), cluster, 'web1');
  expect(readdirSync(folder)).toEqual(['run-2.tar']);
  expect([statSync(folder).mode & 0o777, statSync(join(folder, 'run-2.tar')).mode & 0o777]).toEqual([0o700, 0o600]);
  expect(tar('-tf', join(folder, 'run-2.tar'))).toBe('srv/old\n');
  expect(tar('-xOf', join(folder, 'run-2.tar'))).toBe('mine');
});

test('where it cannot be copied, that is said, and the run goes on', async () => {
  hosts.write('web1', 'old', 'mine');
  execFileSync('mkdir', ['-p', hosts.store]);
  execFileSync('touch', [copies()]);
  const report = await hosts.deploy(write('old'));
  expect(report).toMatchObject({
    exitCode: 0,
    notes: [expect.stringMatching(/^web1: what was there before the first change could not be copied/)],
  });
  expect(hosts.read('web1', 'old')).toBe('ours');
});
