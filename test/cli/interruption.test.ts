/** Real signals to a process that listens for them as a run does. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';

const source = fileURLToPath(new URL('../../src/cli/interruption.ts', import.meta.url));
/** It says each time that it is asked to stop, and counts to show that it is there still. */
const program = `import { listenForInterruption } from ${JSON.stringify(source)};
const { stop, touching } = listenForInterruption('lvsctl deploy', () => {});
if (process.argv.includes('touching')) touching();
stop.addEventListener('abort', () => process.stdout.write('stops\\n'));
process.on('SIGHUP', () => process.stdout.write('hangup\\n'));
setInterval(() => {}, 1000);
process.stdout.write('ready\\n');
`;

const running: ChildProcessByStdio<null, Readable, Readable>[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

async function begin(...words: readonly string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program, '--', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  const ended = once(child, 'close').then(([exit]) => exit as number | null);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const heard = (what: string) => vi.waitFor(() => expect(said).toBe(what), { timeout: 20_000, interval: 20 });
  await heard('ready\n');
  return { kill: (signal: NodeJS.Signals) => void child.kill(signal), heard, ended, said: () => said };
}

test('a closed terminal says so twice, by its shell and by the kernel, and has asked once; Ctrl-C after that leaves at once', async () => {
  const { kill, heard, ended, said } = await begin('touching');
  kill('SIGHUP');
  await heard('ready\nstops\nhangup\n');
  kill('SIGHUP');
  await heard('ready\nstops\nhangup\nhangup\n');
  kill('SIGINT');
  expect(await ended).toBe(130);
  expect(said()).toContain('interrupted: what is at work on the hosts goes on there to its end; "lvsctl deploy" takes it up');
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s twice leaves at once', async (signal) => {
  const { kill, heard, ended } = await begin('touching');
  kill(signal);
  await heard('ready\nstops\n');
  kill(signal);
  expect(await ended).toBe(130);
});

test('before anything is touched each of them ends it', async () => {
  const { kill, ended, said } = await begin();
  kill('SIGHUP');
  expect(await ended).toBe(130);
  expect(said()).toContain('interrupted: nothing was touched');
});
