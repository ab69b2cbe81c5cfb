/** Asks on the terminal without showing what is typed; it is kept nowhere but in the returned string. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { EXIT, LvsError } from '../errors.ts';
import { forTerminal } from '../view/say.ts';
import { orInterrupted } from './interruption.ts';

/** Throws LvsError (exit 4) where nobody can be asked. */
export async function askSecret(question: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new LvsError(`nobody is there to answer "${question}"`, {
      code: 'cli.no-terminal',
      exitCode: EXIT.badInput,
      hint: 'run it on a terminal',
    });
  }
  // readline echoes to its output: this one goes nowhere. It comes first, so that an answer typed at once is not shown either.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write(`${forTerminal(question)}: `);
  try {
    return await orInterrupted(terminal.question(''));
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
