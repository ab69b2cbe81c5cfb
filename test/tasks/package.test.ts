import { expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/package.ts';
import { planContext } from '../support/plan-context.ts';

const plan = (stdout: string, params: unknown, facts = {}) => {
  const want = task.params.parse(params);
  return task.plan(task.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext({ facts }));
};
const script = (stdout: string, params: unknown, facts = {}) =>
  plan(stdout, params, facts).map(({ run }) => renderSh(run, (value) => value))[0] ?? '';

const policy = (name: string, candidate: string) => `${name}:\n  Installed: (none)\n  Candidate: ${candidate}\n  Version table:\n`;

test('the version that the plan shows is the one that is installed', () => {
  expect(plan(policy('keepalived', '1:2.2.7-1+b2'), { name: 'keepalived' })[0]?.will).toBe('keepalived 1:2.2.7-1+b2\n');
  expect(script(policy('keepalived', '1:2.2.7-1+b2'), { name: 'keepalived' })).toContain("install 'keepalived=1:2.2.7-1+b2'; }");
});

test('lists of packages are renewed first only where a version is not known', () => {
  expect(script(policy('keepalived', '1:2.2.7-1+b2'), { name: 'keepalived' })).toContain('\ninstall || {');
  expect(script(policy('keepalived', '(none)'), { name: 'keepalived' })).toContain('\nrenew_lists; install\n');
});

test('only what is missing is installed, in one go', () => {
  const changes = plan(`dpkg curl 7.88.1-10\n${policy('gcc', '4:12.2.0-3')}${policy('make', '4.3-4.1')}`, {
    name: ['curl', 'gcc', 'make'],
  });
  expect(changes.map(({ title }) => title)).toEqual(['install gcc, make']);
});

test('no service starts on the way, and needrestart only lists', () => {
  const text = script('', { name: 'keepalived' });
  expect(text).toContain('exit 101');
  expect(text).toContain('NEEDRESTART_MODE=l');
});

test('a host of dnf is asked and served by its own manager', () => {
  const facts = { packageManager: 'dnf' } as const;
  expect(plan('rpm nginx 1.20.1-14.el9\n', { name: 'nginx' }, facts)).toEqual([]);
  expect(plan('dpkg nginx 1.22.1-9\n', { name: 'nginx' }, facts)).toHaveLength(1);
  expect(script('', { name: ['nginx', 'gcc'] }, facts)).toBe('dnf -y --setopt=install_weak_deps=False install nginx gcc');
});

test('without a manager it says so', () => {
  expect(() => plan('', { name: 'nginx' }, { packageManager: 'none' })).toThrow(/neither apt-get nor dnf/);
});

test.each(['-y', 'a b', 'nginx=1', '', 'x/y', "x'y", 'a*'])('%j is no name of a package', (name) => {
  expect(task.params.safeParse({ name }).success).toBe(false);
});

test.each([
  [{ name: ['a', 'b'], version: '1.0' }, '"version" belongs to one package'],
  [{ name: 'a', state: 'absent', version: '1.0' }, '"version" belongs to one package'],
  [{ name: 'a', state: 'absent', hold: true }, '"hold: true" goes with'],
  [{ name: 'a', version: '-1' }, 'a whole version'],
])('%j is refused', (params, message) => {
  expect(task.params.safeParse(params).error?.issues[0]?.message).toContain(message);
});

test('an epoch of 0 may be written or not', () => {
  const facts = { packageManager: 'dnf' } as const;
  expect(plan('rpm nginx 1.20.1-14.el9\n', { name: 'nginx', version: '0:1.20.1-14.el9' }, facts)).toEqual([]);
});

test('dnf wants the release too: without it no installed version would ever be right', () => {
  const facts = { packageManager: 'dnf' } as const;
  expect(() => plan('', { name: 'nginx', version: '1.20.1' }, facts)).toThrow('1.20.1 is not the whole version');
  expect(plan('', { name: 'nginx', version: '1.20.1' })).toHaveLength(1);
});

test('an older version takes the place of a newer one only where the version is pinned', () => {
  expect(script('dpkg nginx 1.22.1-9\n', { name: 'nginx', version: '1.18.0-1' })).toContain("--allow-downgrades install 'nginx=1.18.0-1'");
  expect(script('', { name: 'nginx' })).not.toContain('downgrade');
});

test('a lock at another version is let go before what is missing is installed', () => {
  const facts = { packageManager: 'dnf' } as const;
  const locked = 'versionlock there\nlock nginx-1:1.0-1.*\n';
  expect(() => plan(locked, { name: 'nginx' }, facts)).toThrow('nginx is held');
  expect(plan(locked, { name: 'nginx', hold: true }, facts).map(({ id }) => id)).toEqual(['release:nginx', 'install:nginx', 'hold:nginx']);
});
