/** Runs a fragment for real, in each shell that a host may have as its sh. Only for fragments that stay in a folder of the test's own. */
import { spawnSync } from 'node:child_process';
import type { Output } from '../../src/model.ts';
import { preamble } from '../../src/sh/frame.ts';
import { quote, renderSh, type Sh } from '../../src/sh/sh.ts';
import type { shells } from './lint-shell.ts';

export function runIn(shell: (typeof shells)[number], fragment: Sh, resolve: (value: string) => string = (value) => value): Output {
  const [program = '', ...words] = shell.split(' ');
  const input = `${preamble}\n( eval ${quote(renderSh(fragment, resolve))} ) </dev/null\n`;
  const { stdout, stderr, status } = spawnSync(program, words, { input, encoding: 'utf8', maxBuffer: 8 * 1024 * 1024 });
  return { stdout, stderr, exit: status ?? -1 };
}
