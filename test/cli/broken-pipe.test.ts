import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Starts lvsctl with its output read by nobody. */
async function unread(...words: readonly string[]): Promise<{ readonly exit: number | null; readonly stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const closed = once(child, 'exit');
  const stderr = await text(child.stderr);
  const [exit] = (await closed) as [number | null];
  return { exit, stderr };
}

test('output that nobody reads any more is no error: `lvsctl … | head` ends quietly', async () => {
  expect(await unread('schema')).toEqual({ exit: 0, stderr: '' });
  expect(await unread('tasks')).toEqual({ exit: 0, stderr: '' });
});
