import { expect, test } from 'vitest';
import task from '../../src/tasks/package_repository.ts';
import { planContext } from '../support/plan-context.ts';

const { key, key_file: _, ...open } = { key_file: undefined, ...task.example };
const complaint = (params: object): string => JSON.stringify(task.params.safeParse(params).error?.issues ?? 'accepted');

test('nothing unsigned is taken unless that is said', () => {
  expect(complaint(open)).toContain('unsigned: true');
  expect(complaint({ ...open, unsigned: true })).toBe('"accepted"');
  expect(complaint({ ...open, key, unsigned: true })).toContain('not both');
});

test('a key is in armor', () => {
  expect(complaint({ ...open, key: '\u0099\u0001 binary' })).toContain('gpg --armor --export');
});

test.each([
  [{ suites: undefined }, 'go together'],
  [{ url: 'ftp://example.org/debian' }, 'an http, https or file URL'],
  [{ url: undefined }, 'a repository has a \\"url\\"'],
  [{ packages: ['a b'] }, 'the name of a package'],
])('%j is refused', (more, message) => {
  expect(complaint({ ...task.example, ...more })).toContain(message);
});

test('dnf is not given what it does not know', () => {
  const plan = (params: object) => {
    const want = task.params.parse({ name: 'team', url: 'https://example.org/el9', key, ...params });
    return task.plan(task.parse({ stdout: '', stderr: '', exit: 0 }, want), want, planContext({ facts: { packageManager: 'dnf' } }));
  };
  expect(() => plan({ suites: ['a'], components: ['b'] })).toThrow('dnf knows no suites');
  expect(() => plan({ priority: 500 })).toThrow('dnf knows no priority 500');
  expect(plan({ priority: 20 })).toHaveLength(2);
});
