import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { secretSlot } from '../../src/sh/secret.ts';
import task from '../../src/tasks/command.ts';
import { shells } from '../support/lint-shell.ts';
import { planContext } from '../support/plan-context.ts';
import { runIn } from '../support/run-shell.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-command-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each(shells)('%s: it runs until it has been done, and not again', (shell) => {
  const done = join(folder, "it's done");
  const run = `printf '%s\\n' "it's \\$HOME" >>"${done}"`;
  const want = task.params.parse({ run, unless: `grep -q HOME "${done}"` });
  const plan = () => task.plan(task.parse(runIn(shell, task.probe(want)), want), want, planContext());
  const [change] = plan();
  expect(change?.unless && runIn(shell, change.unless).exit).not.toBe(0);
  expect(change && runIn(shell, change.run).exit).toBe(0);
  expect(readFileSync(done, 'utf8')).toBe("it's $HOME\n");
  expect(plan()).toEqual([]);
});

test.each(shells)('%s: what holds a secret stands in no process’s arguments, and is a command like any other', (shell) => {
  const seen = join(folder, 'seen');
  const run = `: '${secretSlot('db')}'; tr '\\0' ' ' </proc/$$/cmdline >${seen}; env >>${seen}; read nothing || exit 7`;
  const [change] = task.plan({ done: false }, task.params.parse({ run, creates: '/never' }), planContext());
  expect(change && runIn(shell, change.run).exit).toBe(7);
  expect(readFileSync(seen, 'utf8')).toMatch(/^sh -c lvsctl_command=/);
  expect(readFileSync(seen, 'utf8')).not.toContain('secret db');
});

test('its exit code is the change’s, and its exit does not end what comes after', () => {
  const want = task.params.parse({ run: 'exit 7', creates: '/never' });
  const [change] = task.plan({ done: false }, want, planContext());
  expect(change && runIn('dash', change.run).exit).toBe(7);
});

test('what a question prints is not taken for its answer', () => {
  const want = task.params.parse({ run: 'true', unless: 'echo done; false' });
  expect(task.parse(runIn('dash', task.probe(want)), want)).toEqual({ done: false });
  expect(existsSync(folder)).toBe(true);
});

test.each([{ run: 'x' }, { run: 'x', creates: '/a', unless: 'y' }])('%j: one of creates and unless', (params) => {
  expect(task.params.safeParse(params).error?.issues[0]?.message).toContain('one of "creates" and "unless"');
});
