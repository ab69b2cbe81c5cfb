/** A command on a terminal of its own (script(1)), and somebody who types. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { quote } from '../../src/sh/sh.ts';
import type { CliResult } from './cli.ts';

/** Types `answer` when the screen says `question`. What the terminal showed is `stdout`. */
export async function typed(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  question: string,
  answer: string,
): Promise<CliResult> {
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', words.map(quote).join(' '), '/dev/null'], {
    stdio: 'pipe',
    env: { ...env, TERM: 'xterm' },
  });
  let screen = '';
  let stderr = '';
  let asked = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    if (asked || !screen.includes(question)) return;
    asked = true;
    child.stdin.write(`${answer}\r`);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [exit] = (await once(child, 'close')) as [number | null];
  return { exit, stdout: screen, stderr };
}
