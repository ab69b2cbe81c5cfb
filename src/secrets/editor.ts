/** The operator's editor on a text that may stand in no file for longer than that. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EXIT, LvsError } from '../errors.ts';
import { complaint } from './complaint.ts';
import { privateFolder } from './private-folder.ts';

/** What may be done with a text while its file lasts. */
export interface Editing {
  /** Opens the editor; the text as it is then. Throws LvsError: exit 4 where the editor fails, 130 where a signal ends it. */
  edit(): Promise<string>;
}

/** The file is gone when `work` is done, whatever comes: a signal ends the editor first. */
export async function withEditor<Value>(
  text: string,
  warn: (line: string) => void,
  work: (editing: Editing) => Promise<Value>,
): Promise<Value> {
  const guard = guardSignals();
  const folder = privateFolder();
  try {
    if (!folder.inMemory) warn(`no file system in memory: while you edit, the text lies on disk in ${folder.path}`);
    const file = join(folder.path, 'secrets.yaml');
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
    return await work({
      async edit() {
        await runEditor(file, guard);
        return readFileSync(file, 'utf8');
      },
    });
  } finally {
    folder.remove();
    guard.over();
  }
}

interface Guard {
  /** Signals go to it while it runs. */
  watch(editor: ChildProcess | undefined): void;
  /** A signal has come that was meant to end it. */
  asked(): boolean;
  over(): void;
}

function guardSignals(): Guard {
  let child: ChildProcess | undefined;
  let asked = false;
  const hear = (signal: NodeJS.Signals): void => {
    // Its file goes along with this process.
    if (!child) process.exit(EXIT.interrupted);
    // What is typed on the terminal has reached the editor too, and many go on after Ctrl-C.
    if (signal === 'SIGINT' || signal === 'SIGQUIT') return;
    asked = true;
    child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, hear);
  return {
    watch: (editor) => {
      child = editor;
    },
    asked: () => asked,
    over: () => {
      for (const signal of signals) process.off(signal, hear);
    },
  };
}

async function runEditor(file: string, guard: Guard): Promise<void> {
  // As sudoedit has it: words, and no shell.
  const [program = '', ...words] = (process.env.VISUAL?.trim() || process.env.EDITOR?.trim() || 'vi').split(/\s+/);
  const child = spawn(program, [...words, file], { stdio: 'inherit' });
  guard.watch(child);
  const ended = await once(child, 'close').catch(() => undefined);
  guard.watch(undefined);
  if (!ended) throw complaint('editor', `the editor ${program} cannot be run: nothing was changed`, undefined, 'name one in EDITOR');
  const [exit, by] = ended as [number | null, NodeJS.Signals | null];
  if (guard.asked() || by !== null || exit === EXIT.interrupted) {
    throw new LvsError('interrupted: nothing was changed', { code: 'cli.interrupted', exitCode: EXIT.interrupted });
  }
  if (exit !== 0) throw complaint('editor', `${basename(program)} ended with ${exit}: nothing was changed`, undefined);
}
