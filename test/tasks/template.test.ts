import { expect, test } from 'vitest';
import { secretSlot } from '../../src/sh/secret.ts';
import task from '../../src/tasks/template.ts';
import { planContext } from '../support/plan-context.ts';

const missing = { stdout: 'type missing\n', stderr: '', exit: 0 };
const will = (params: object, context = planContext()) => {
  const want = task.params.parse({ path: '/etc/motd', ...params });
  return task.plan(task.parse(missing, want), want, context)[0]?.will;
};

test('a template knows facts, host, fleet and its vars', () => {
  const template = '<%= facts.codename %> <%= host.name %> <%= fleet.vips[0] %> <%= port %> <%= vars.port %>\n';
  expect(will({ template, vars: { port: 80 } })).toBe('bookworm web1 10.18.43.30 80 80\n');
});

test('a secret goes through as its slot', () => {
  expect(will({ template: 'pass <%= pass %>\n', vars: { pass: secretSlot('vrrp') } })).toBe(`pass ${secretSlot('vrrp')}\n`);
});

test('a variable cannot take the place of what lvsctl knows', () => {
  expect(will({ template: '<%= host.name %>', vars: { host: 'other' } })).toBe('web1');
});

test('what would be too large, or cannot be sent, is refused', () => {
  expect(() => will({ template: '<%= "x".repeat(200000) %>' })).toThrow(/more than 128 KiB/);
  expect(() => will({ template: '<%= "\\0" %>' })).toThrow(/NUL/);
});
