import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { EXIT, LvsError } from '../errors.ts';

export interface RunOptions {
  /** Text for the command's standard input; absent: none. */
  readonly input?: string;
  /** Called with every line of both outputs as it comes. */
  readonly onLine?: (line: string) => void;
  /** Ends the command and everything that it started. */
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

/** What an aborted command of this machine says; the last word is the CLI's. */
export function interrupted(): LvsError {
  return new LvsError('interrupted', { code: 'interrupted', exitCode: EXIT.interrupted });
}

/** The search path with the folders of root's commands, which `su` without a dash leaves out. */
export function commandPath(): string {
  return `${process.env.PATH ?? '/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin`;
}

/**
 * Runs a command of this machine in a process group of its own and returns its standard output. The group ends with an abort, and
 * the command with the death of this process. Throws LvsError (exit 1) with the last lines that the command said.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  if (options.signal?.aborted) throw interrupted();
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    detached: true,
    env: { ...process.env, LC_ALL: 'C', PATH: commandPath(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  const last: string[] = [];
  const hear = (line: string): void => {
    if (line.trim() !== '') last.push(line.trim());
    if (last.length > 8) last.shift();
    options.onLine?.(line);
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    output.push(line);
    hear(line);
  });
  createInterface({ input: child.stderr }).on('line', hear);
  child.stdin.on('error', () => {}); // a command that does not read its input is no failure
  child.stdin.end(options.input ?? '');

  const end = (): void => endGroup(child.pid);
  options.signal?.addEventListener('abort', end, { once: true });
  const exit = await new Promise<number | Error>((settle) => {
    child.on('error', settle);
    child.on('close', (code) => settle(code ?? -1));
  });
  options.signal?.removeEventListener('abort', end);
  if (options.signal?.aborted) throw interrupted();
  if (exit !== 0) throw failure(command, args, exit, last);
  return output.length === 0 ? '' : `${output.join('\n')}\n`;
}

function failure(command: string, args: readonly string[], exit: number | Error, last: readonly string[]): LvsError {
  const how = typeof exit === 'number' ? `ended with exit code ${exit}` : `could not be started (${exit.message})`;
  return new LvsError(`\`${[command, ...args.slice(0, 3)].join(' ')}\` ${how}: ${last.join(' | ') || 'it said nothing'}`, {
    code: 'lab.command',
    exitCode: EXIT.taskFailed,
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}
