import { expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/group.ts';
import { planContext } from '../support/plan-context.ts';

const plan = (stdout: string, params: unknown) => {
  const want = task.params.parse(params);
  return task.plan(task.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext());
};

test('a system group takes its number from the range for them', () => {
  const [change] = plan('', { name: 'nginx', system: true, gid: 990 });
  expect(change && renderSh(change.run, (value) => value)).toMatch(/groupadd -r -g 990 -- nginx$/);
});

test('a group whose name only begins alike is another group', () => {
  expect(plan('group nginx2:x:990:\n', { name: 'nginx' })).toHaveLength(1);
});

test('the number of a group that is there is never changed under its files', () => {
  expect(() => plan('group nginx:x:990:\n', { name: 'nginx', gid: 991 })).toThrow(/has the number 990, not 991/);
});

test.each(['-r', '0', 'Nginx', 'a:b', 'a b', ''])('%j is no name', (name) => {
  expect(task.params.safeParse({ name }).success).toBe(false);
});
