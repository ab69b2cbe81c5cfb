/** Values from a program of the operator's, such as a password manager. An inventory cannot name it: it could run anything. */
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { complaint } from './complaint.ts';

/** A program and its arguments, in which `{name}` stands for the secret's name. */
export type SecretCommand = readonly [string, ...string[]];

const variable = 'LVSCTL_SECRETS_COMMAND';
const example = `such as ${variable}='pass show lvs/{name}', or a JSON list of words; no shell reads it`;

/** Throws LvsError (exit 4). */
export function secretCommand(said = process.env[variable]): SecretCommand | undefined {
  if (!said?.trim()) return undefined;
  const [program, ...words] = said.trim().startsWith('[') ? listOf(said) : said.trim().split(/\s+/);
  if (!program) throw complaint('command', `${variable} names no program`, undefined, example);
  if (!words.some((word) => word.includes('{name}')))
    throw complaint('command', `${variable} does not say where the name goes: {name} is missing`, undefined, example);
  return [program, ...words];
}

function listOf(said: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(said);
    if (Array.isArray(list) && list.every((word): word is string => typeof word === 'string')) return list;
  } catch {
    // The words of the parser's complaint would repeat it.
  }
  throw complaint('command', `${variable} is no JSON list of words`, undefined, example);
}

/** What it printed, without one final newline; or why there is no value. Throws LvsError (exit 4) where it does not end in time. */
export function askCommand(
  [program, ...words]: SecretCommand,
  name: string,
  timeout = 60_000,
): { readonly value: string } | { readonly why: string } {
  // It may ask on the terminal, and what it complains about goes there, not into an error of ours.
  const { status, stdout, error } = spawnSync(
    program,
    words.map((word) => word.replaceAll('{name}', name)),
    { stdio: ['inherit', 'pipe', 'inherit'], timeout, maxBuffer: 1_000_000 },
  );
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ETIMEDOUT')
    throw complaint('command', `${program} did not give secret "${name}" within ${timeout / 1000} s`, undefined, 'unlock it first');
  if (code !== undefined) return { why: `${program} cannot be run (${code})` };
  if (status !== 0) return { why: `${basename(program)} ended with ${status ?? 'a signal'}` };
  const value = stdout.toString('utf8').replace(/\r?\n$/, '');
  return value === '' ? { why: `${basename(program)} printed nothing` } : { value };
}
