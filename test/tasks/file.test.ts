import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { secretSlot } from '../../src/sh/secret.ts';
import task from '../../src/tasks/file.ts';
import { shells } from '../support/lint-shell.ts';
import { planContext } from '../support/plan-context.ts';
import { runIn } from '../support/run-shell.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const me = { owner: String(process.getuid?.()), group: String(process.getgid?.()) };

/** Probes, does what the plan says, and returns what it did. */
function apply(shell: (typeof shells)[number], params: object): readonly string[] {
  const want = task.params.parse({ ...me, ...params });
  const changes = task.plan(task.parse(runIn(shell, task.probe(want)), want), want, planContext());
  for (const { run } of changes) expect(runIn(shell, run)).toMatchObject({ stderr: '', exit: 0 });
  return changes.map(({ id }) => id.split(':')[0] ?? '');
}

test.each(shells)('%s: each state is reached, and then there is nothing to do', (shell) => {
  const path = join(folder, 'it');
  const twice = (params: object) => [apply(shell, { path, ...params }), apply(shell, { path, ...params })];
  expect(twice({ content: 'x\n', mode: '0600' })).toEqual([['content'], []]);
  expect(twice({ mode: '0640' })).toEqual([['attributes'], []]);
  expect(readFileSync(path, 'utf8')).toBe('x\n');
  expect(twice({ state: 'absent' })).toEqual([['remove'], []]);
  expect(twice({ state: 'link', target: '/tmp' })).toEqual([['link'], []]);
  expect(twice({ state: 'link', target: '-rf $(id)' })).toEqual([['link'], []]);
  expect(readlinkSync(path)).toBe('-rf $(id)');
  expect(twice({ state: 'absent' })).toEqual([['remove'], []]);
  expect(twice({ state: 'directory', mode: '0750' })).toEqual([['create'], []]);
  expect(twice({ state: 'directory' })).toEqual([['attributes'], []]);
  expect(twice({ state: 'absent' })).toEqual([['remove'], []]);
});

test('a directory with something in it is not removed', () => {
  const want = task.params.parse({ path: folder, state: 'absent' });
  writeFileSync(join(folder, 'kept'), '');
  const [change] = task.plan(task.parse(runIn('dash', task.probe(want)), want), want, planContext());
  expect(change && runIn('dash', change.run).exit).not.toBe(0);
  expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('');
});

test('a file whose content is not ours to say is never taken for one with a secret', () => {
  const path = join(folder, 'theirs');
  writeFileSync(path, secretSlot('vrrp'), { mode: 0o644 });
  const want = task.params.parse({ path, ...me, mode: '0644' });
  const resolve = () => {
    throw new Error('what a host says was looked up as a secret');
  };
  expect(task.plan(task.parse(runIn('dash', task.probe(want)), want), want, planContext({ resolve }))).toEqual([]);
});

test('the validator is given the path of the new file in the place of %s', () => {
  const path = join(folder, 'conf');
  expect(apply('dash', { path, content: 'good\n', validate: `grep -q good %s && [ %s != ${path} ]` })).toEqual(['content']);
});

test.each([
  [{ path: '/etc/motd', mode: 644 }, 'an octal mode in quotes, such as "0644"'],
  [{ path: 'etc/motd' }, 'an absolute path'],
  [{ path: '/etc/../motd' }, 'an absolute path'],
  [{ path: '/etc/motd', state: 'link' }, '"target" goes with'],
  [{ path: '/etc/motd', state: 'directory', content: 'x' }, '"content" and "validate" go with'],
  [{ path: '/etc/motd', validate: 'nginx -t' }, '"%s"'],
  [{ path: '/etc/motd', content: 'a\0b' }, 'NUL'],
  [{ path: '/etc/motd', content: 'x'.repeat(131_073) }, 'at most 128 KiB'],
])('%j is refused, and told what is allowed', (params, message) => {
  expect(task.params.safeParse(params).error?.issues[0]?.message).toContain(message);
});
