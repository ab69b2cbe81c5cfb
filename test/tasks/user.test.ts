import { expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/user.ts';
import { planContext } from '../support/plan-context.ts';

const plan = (stdout: string, params: unknown) => {
  const want = task.params.parse(params);
  return task.plan(task.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext());
};
const script = (stdout: string, params: unknown) => plan(stdout, params).map(({ run }) => renderSh(run, (value) => value))[0] ?? '';

const s0 = { name: 'nginx', group: 'nginx', system: true, shell: 'nologin' };

test.each([
  ['Debian', '/usr/sbin/nologin'],
  ['EL', '/sbin/nologin'],
])('nologin is where %s keeps it', (_, path) => {
  expect(script(`nologin:${path}\n`, s0)).toContain(`useradd -r -M -s ${path} "$@" -- nginx`);
});

test('a host that has another path for nologin in passwd needs no change', () => {
  expect(plan('passwd nginx:x:999:990::/home/nginx:/sbin/nologin\ngroup nginx:x:990:\nnologin:/usr/sbin/nologin\n', s0)).toEqual([]);
});

test('what a host names as nologin is used only when it is a path', () => {
  expect(script('nologin:$(reboot)\n', s0)).toContain('-s /usr/sbin/nologin');
});

test('what is not asked for stays as it is', () => {
  expect(plan('passwd nginx:x:999:990::/srv:/bin/bash\ngroup nginx:x:990:\n', { name: 'nginx' })).toEqual([]);
});

test('shell, home and group are changes of their own', () => {
  const seen = 'passwd nginx:x:999:990::/srv:/bin/bash\ngroup web:x:991:\nnologin:/usr/sbin/nologin\nhome\n';
  const ids = plan(seen, { ...s0, group: 'web', home: '/var/empty' }).map(({ id }) => id);
  expect(ids).toEqual(['group:nginx', 'shell:nginx', 'home:nginx']);
});

test('a home directory is made where it is missing, only when asked for', () => {
  const seen = 'passwd nginx:x:999:990::/srv/nginx:/bin/sh\ngroup nginx:x:990:\n';
  expect(plan(seen, { name: 'nginx' })).toEqual([]);
  expect(plan(seen, { name: 'nginx', create_home: true }).map(({ id }) => id)).toEqual(['home-directory:nginx']);
  expect(plan(`${seen}home\n`, { name: 'nginx', create_home: true })).toEqual([]);
});

test.each([{ name: '-r' }, { name: 'nginx', shell: 'bash' }, { name: 'nginx', home: '/a:b' }, { name: 'nginx', uid: 0 }])(
  '%j is refused',
  (params) => {
    expect(task.params.safeParse(params).success).toBe(false);
  },
);
