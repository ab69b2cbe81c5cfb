/** How long a command takes, and how much memory lvsctl needs at most. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Command {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A file for its standard input. */
  readonly input?: string;
}

/** Milliseconds until all of them, started together, have ended. Throws when one fails. */
export async function time(commands: readonly Command[]): Promise<number> {
  const began = process.hrtime.bigint();
  await Promise.all(commands.map(finished));
  return Number(process.hrtime.bigint() - began) / 1e6;
}

async function finished({ words, env, input }: Command): Promise<void> {
  const [program = '', ...rest] = words;
  const stdin = input === undefined ? 'ignore' : openSync(input, 'r');
  const child = spawn(program, rest, { stdio: [stdin, 'ignore', 'pipe'], env: { ...process.env, ...env } });
  let stderr = '';
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  const [exit] = (await once(child, 'close')) as [number | null];
  if (typeof stdin === 'number') closeSync(stdin);
  if (exit !== 0) throw new Error(`${words.join(' ')} ended with ${exit}: ${stderr}`);
}

/** Each of them `rounds` times, in turn, so that what else the machine does meets all alike. */
export async function timeInTurn<Name extends string>(
  rounds: number,
  all: Readonly<Record<Name, readonly Command[]>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(all) as Name[];
  const taken = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) for (const name of names) taken[name].push(await time(all[name]));
  return Object.fromEntries(names.map((name) => [name, median(taken[name])])) as Record<Name, number>;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The most memory that a command of Node had at any time, in MiB: it says so itself when it ends. */
export async function peakMemory({ words, env }: Command, folder: string): Promise<number> {
  const file = join(folder, 'peak');
  const source = `import fs from 'node:fs'; process.on('exit', () => fs.writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS)));`;
  const say = `--import data:text/javascript,${encodeURIComponent(source)}`;
  await finished({ words, env: { ...env, NODE_OPTIONS: say } });
  return Number(readFileSync(file, 'utf8')) / 1024;
}

/** How many processes a shell that reads this script starts: in a namespace of its own, processes are numbered one after another. */
export function processesOf(script: string): number {
  const next = (before: string): number => {
    const words = ['--pid', '--fork', '--mount-proc', 'sh', '-c', `${before} sh -c 'echo $$'; exit`, 'sh', script];
    const { stdout, stderr, status } = spawnSync('unshare', words, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`unshare ended with ${status}: ${stderr}`);
    return Number(stdout);
  };
  return next('sh <"$1" >/dev/null 2>&1;') - next('');
}
