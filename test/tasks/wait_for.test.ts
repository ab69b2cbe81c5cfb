import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import task from '../../src/tasks/wait_for.ts';
import { shells } from '../support/lint-shell.ts';
import { planContext } from '../support/plan-context.ts';
import { runIn } from '../support/run-shell.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-wait-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const planned = (shell: (typeof shells)[number], params: unknown) => {
  const want = task.params.parse(params);
  return task.plan(task.parse(runIn(shell, task.probe(want)), want), want, planContext());
};

/** A port of 127.0.0.1 on which a process of its own listens: the shell under test blocks this one. */
async function listener() {
  const code = `const s = require('node:net').createServer((c) => c.end()).listen(0, '127.0.0.1', () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(first), stop: async () => void (child.kill() && (await once(child, 'exit'))) };
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

test.each(shells)('%s: it ends as soon as what it waits for is there', (shell) => {
  const path = join(folder, "it's there");
  const later = spawn('dash', ['-c', 'sleep 1; printf "%s\\n" "ready now" >"$1"', 'dash', path], { stdio: 'ignore' });
  const [change] = planned(shell, { path, contains: 'ready', timeout: 20 });
  const began = Date.now();
  expect(change && runIn(shell, change.run)).toMatchObject({ exit: 0, stderr: '' });
  expect(Date.now() - began).toBeLessThan(15_000);
  expect(planned(shell, { path, contains: 'ready' })).toEqual([]);
  later.kill();
});

test.each(shells)('%s: it fails when its time is over, and says what it still saw', (shell) => {
  const path = join(folder, 'lock');
  writeFileSync(path, '');
  const [change] = planned(shell, { path, state: 'absent', timeout: 2 });
  expect(change && runIn(shell, change.run)).toEqual({ exit: 1, stdout: '', stderr: `after 2 s: ${path} is there\n` });
});

test.each(shells)('%s: a port answers or does not', async (shell) => {
  const open = await listener();
  const closed = await unusedPort();
  expect(planned(shell, { port: open.port })).toEqual([]);
  expect(planned(shell, { port: closed, state: 'stopped' })).toEqual([]);
  expect(planned(shell, { port: open.port, state: 'stopped' })).toHaveLength(1);
  expect(planned(shell, { port: closed, host: 'localhost' })).toHaveLength(1);
  await open.stop();
  expect(planned(shell, { port: open.port, state: 'stopped' })).toEqual([]);
});

test.each(shells)('%s: a process runs or does not', (shell) => {
  expect(planned(shell, { process: 'node' }).length + planned(shell, { process: 'node', state: 'stopped' }).length).toBe(1);
  expect(planned(shell, { process: 'nobodyhasthis', state: 'stopped' })).toEqual([]);
  expect(planned(shell, { process: 'nobodyhasthis' })[0]?.title).toBe('wait until a process nobodyhasthis runs');
});

test('a host without bash cannot ask a port', () => {
  const want = task.params.parse({ port: 80 });
  const seen = task.parse({ stdout: 'no bash\n', stderr: '', exit: 0 }, want);
  expect(() => task.plan(seen, want, planContext())).toThrow('a port is asked with bash');
});

test.each([
  [{}, 'one of "port"'],
  [{ port: 80, path: '/a' }, 'one of "port"'],
  [{ path: '/a', host: 'b' }, '"host" goes with'],
  [{ path: '/a', state: 'absent', contains: 'x' }, '"contains" goes with'],
  [{ port: 80, state: 'present' }, '"state" is'],
  [{ path: '/a', state: 'started' }, '"state" is'],
])('%j is refused', (params, message) => {
  expect(task.params.safeParse(params).error?.issues[0]?.message).toContain(message);
});
