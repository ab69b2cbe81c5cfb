import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { secretSlot } from '../../src/sh/secret.ts';
import { renderSh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/http_check.ts';
import { shells } from '../support/lint-shell.ts';
import { planContext } from '../support/plan-context.ts';
import { runIn } from '../support/run-shell.ts';

/** In a process of its own: the shell under test blocks this one. `/soon` is right from the third time on. */
const server = `let asked = 0;
const answer = (request, response) => {
  if (request.url === '/soon' && ++asked < 3) return response.writeHead(503).end('not yet');
  if (request.url === '/slow') return setTimeout(() => response.end('late'), 3000);
  if (request.url === '/large') return response.end('x'.repeat(2000000));
  response.writeHead(200, { 'X-Host': request.headers.host }).end('one\\n\\n\\0two $(x)\\n');
};
const s = require('node:http').createServer(answer).listen(0, '127.0.0.1', () => console.log(s.address().port));`;
const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
let root: string;
beforeAll(async () => {
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  root = `http://127.0.0.1:${Number(first)}`;
});
afterAll(() => void child.kill());

const planned = (shell: (typeof shells)[number], params: unknown) => {
  const want = task.params.parse(params);
  return task.plan(task.parse(runIn(shell, task.probe(want)), want), want, planContext());
};

test.each(shells)('%s: status, text over several lines, expressions, headers', (shell) => {
  const url = `${root}/page`;
  const right = { contains: ['one\n\n', 'two $(x)'], matches: '^two', response_headers: { 'x-host': 'www' }, headers: { Host: 'www.a' } };
  expect(planned(shell, { url, ...right })).toEqual([]);
  expect(planned(shell, { url, ...right, contains: 'X-Host' })[0]?.was).toBe('status 200; the page does not contain the text\n');
  expect(planned(shell, { url, ...right, matches: '^one.+' })[0]?.was).toBe('status 200; no line of the page matches\n');
  expect(planned(shell, { url, ...right, headers: {} })[0]?.was).toBe('status 200; the header x-host is another\n');
  expect(planned(shell, { url, ...right, status: [301, 404] })[0]?.was).toBe('status 200\n');
});

test.each(shells)('%s: a header that holds a secret is no argument, whatever stands in it', (shell) => {
  const headers = { Host: `w"\\w'${secretSlot('token')}`, 'X-Other': 'plain' };
  const want = task.params.parse({ url: `${root}/page`, headers });
  expect(renderSh(task.probe(want), (value) => value)).not.toMatch(/--header '?Host/);
  expect(planned(shell, { url: `${root}/page`, headers, response_headers: { 'x-host': 'w"\\w\'' } })).toEqual([]);
});

test('a wrong answer is asked for again, so often and no more', () => {
  const [change] = planned('dash', { url: `${root}/soon`, retries: 5, timeout: 1 });
  expect(change && runIn('dash', change.run)).toMatchObject({ exit: 0, stderr: '' });
  const [never] = planned('dash', { url: `${root}/page`, status: 404, retries: 1 });
  expect(never && runIn('dash', never.run)).toEqual({
    exit: 1,
    stdout: '',
    stderr: `${root}/page: status 200; expected status 404\n`,
  });
});

test('an answer that takes too long, or is too large, is none', () => {
  expect(planned('dash', { url: `${root}/slow`, timeout: 1 })[0]?.was).toMatch(/^curl: \(28\)/);
  expect(planned('dash', { url: `${root}/large` })[0]?.was).toMatch(/^curl: \(63\)/);
});
