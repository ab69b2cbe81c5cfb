import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import task from '../../src/tasks/reboot.ts';
import { shells } from '../support/lint-shell.ts';
import { planContext } from '../support/plan-context.ts';
import { runIn } from '../support/run-shell.ts';

const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

const planned = (shell: (typeof shells)[number], params: unknown) => {
  const want = task.params.parse(params);
  return task.plan(task.parse(runIn(shell, task.probe(want)), want), want, planContext());
};

test.each(shells)('%s: it is asked again just before, and not done when the reason is gone', (shell) => {
  const [change] = planned(shell, { boot_id: bootId, unless: 'false', timeout: 90 });
  expect(change).toMatchObject({ id: 'reboot', reboots: 90, risk: 'restart', was: `boot ${bootId}, Linux 6.1.192\n` });
  expect(change?.title).toBe(`reboot the host: it still runs in boot ${bootId}, "false" says so`);
  expect(change?.unless && runIn(shell, change.unless).exit).toBe(1);
  const [later] = planned(shell, { unless: '[ -n "$later" ]' });
  expect(later?.unless && runIn(shell, { parts: [{ text: 'export later=1\n' }, ...later.unless.parts] }).exit).toBe(0);
  expect(planned(shell, { unless: 'true', boot_id: '11111111-2222-3333-4444-555555555555' })).toEqual([]);
});

test('it goes down with systemd, or not at all', () => {
  const want = task.params.parse({ unless: 'false' });
  const seen = { reasons: ['"false" says so'], bootId };
  expect(() => task.plan(seen, want, planContext({ facts: { init: 'other' } }))).toThrow('needs systemd');
});

test('as a handler it reboots whenever it was notified', () => {
  const handler = task.asHandler?.make(task.asHandler.params.parse({}));
  expect(handler).toMatchObject({ reboots: 600, risk: 'restart' });
  expect(handler?.unless).toBeUndefined();
});

test.each([
  [{}, 'at least one of'],
  [{ marker: '/etc/reboot' }, 'a path in /run'],
  [{ boot_id: 'x' }, 'boot_id'],
])('%j is refused', (params, message) => {
  expect(task.params.safeParse(params).error?.issues[0]?.message).toContain(message);
});
