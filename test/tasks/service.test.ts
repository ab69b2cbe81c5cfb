import { expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/service.ts';
import { planContext } from '../support/plan-context.ts';

const said = (active: string, file: string, load = 'loaded') =>
  `unit LoadState=${load}\nunit ActiveState=${active}\nunit UnitFileState=${file}\n`;
const plan = (stdout: string, params: object = {}, facts = {}) => {
  const want = task.params.parse({ name: 'nginx', ...params });
  return task.plan(task.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext({ facts })).map(({ id }) => id);
};

test('running now and starting with the host are two things', () => {
  expect(plan(said('active', 'enabled'))).toEqual([]);
  expect(plan(said('active', 'disabled'))).toEqual(['enable:nginx.service']);
  expect(plan(said('inactive', 'enabled'))).toEqual(['start:nginx.service']);
  expect(plan(said('failed', 'disabled'))).toEqual(['enable:nginx.service', 'start:nginx.service']);
  expect(plan(said('active', 'enabled'), { state: 'stopped', enabled: false })).toEqual(['disable:nginx.service', 'stop:nginx.service']);
});

test('a unit that only just starts is not running yet, one that reloads is', () => {
  expect(plan(said('activating', 'enabled'))).toEqual(['start:nginx.service']);
  expect(plan(said('reloading', 'enabled'))).toEqual([]);
  expect(plan(said('deactivating', 'disabled'), { state: 'stopped', enabled: false })).toEqual(['stop:nginx.service']);
});

test('enabled until the next boot is not enabled', () => {
  expect(plan(said('active', 'enabled-runtime'))).toEqual(['enable:nginx.service']);
  expect(plan(said('active', 'enabled-runtime'), { enabled: false })).toEqual(['disable:nginx.service']);
});

test('a unit that comes with an earlier step may be missing now', () => {
  expect(plan(said('inactive', '', 'not-found'))).toEqual(['enable:nginx.service', 'start:nginx.service']);
});

test('what cannot be done is refused with a reason', () => {
  expect(() => plan(said('inactive', 'masked', 'masked'))).toThrow(/masked/);
  expect(() => plan(said('active', 'static'))).toThrow(/cannot be enabled/);
  expect(() => plan('', {}, { init: 'other' })).toThrow(/needs systemd/);
  expect(plan(said('inactive', 'masked', 'masked'), { state: 'stopped', enabled: false })).toEqual([]);
});

test('its handlers carry the name that the playbook knows, and leave a service stopped that is to be stopped', () => {
  const handlers = (params: object) => task.handlers?.(task.params.parse({ name: 'nginx', ...params })) ?? {};
  expect(Object.keys(handlers({}))).toEqual(['restart nginx', 'reload nginx']);
  const text = (params: object, name: string) => renderSh(handlers(params)[name]?.run ?? { parts: [] }, (value) => value);
  expect(text({}, 'restart nginx')).toContain('systemctl restart -- "$unit"');
  expect(text({ state: 'stopped' }, 'restart nginx')).toBe('systemctl try-restart -- nginx.service');
});

test.each(['-x', 'a b', 'a/b', '', 'x\ny'])('%j is no name of a unit', (name) => {
  expect(task.params.safeParse({ name }).success).toBe(false);
});
