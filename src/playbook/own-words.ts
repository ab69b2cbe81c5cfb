/** A user's own tasks and checks: `.js` files beside the playbook, each a function of the toolkit that returns one definition. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Where } from '../errors.ts';
import { defineCheck, defineTask, lines, quote, refuse, sh } from '../task.ts';
import { complaint } from './complaint.ts';
import { habitIn } from './habits.ts';
import { placeIn, said } from './own-failures.ts';
import { blockKeys, checkKeys, handlerKeys, importKeys, taskKeys } from './shapes.ts';

/** What such a file is given: it cannot import lvsctl by name from where it lies. */
const toolkit = { defineTask, defineCheck, sh, lines, quote, refuse, z };

/** The checked definition that a file returned; throws LvsError (exit 4) with the file. */
export type Form<Definition> = (made: unknown, file: string) => Definition;

/** The words that the files of a folder define, by name; none where there is no such folder. Throws LvsError (exit 4) with the file. */
export async function loadOwnWords<Definition>(
  folder: string,
  kind: 'task' | 'check',
  known: ReadonlyMap<string, unknown>,
  form: Form<Definition>,
): Promise<readonly (readonly [string, Definition])[]> {
  const loaded = codeFiles(folder).map(async (name) => {
    const file = join(folder, name);
    const word = wordOf(name, file, kind, known);
    return [word, form(await load(file, kind), file)] as const;
  });
  return Promise.all(loaded);
}

/** YAML files lie here too: what a playbook imports. */
function codeFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.[cm]?[jt]s$/.test(name))
      .sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw complaint(message, { file: folder }, 'registry.unreadable', 'tasks/ and checks/ beside a playbook hold words of your own');
  }
}

const reserved = [...taskKeys, ...blockKeys, ...importKeys, ...handlerKeys, ...checkKeys];

function wordOf(name: string, file: string, kind: string, known: ReadonlyMap<string, unknown>): string {
  const [, word] = /^([a-z][a-z0-9_]*)\.js$/.exec(name) ?? [];
  const refused = (message: string, hint: string) => complaint(message, { file }, 'registry.name', hint);
  if (word === undefined) {
    const hint = `name it WORD.js, WORD of small letters, digits and "_"; what a ${kind} only uses goes into a folder below`;
    throw refused(`this file name is no word for a ${kind}`, hint);
  }
  if (known.has(word)) throw refused(`there is a ${kind} "${word}" already`, 'rename the file: its name is its word in the playbook');
  if (reserved.includes(word) || habitIn([word])) throw refused(`"${word}" means something else in a playbook`, 'rename the file');
  return word;
}

async function load(file: string, kind: 'task' | 'check'): Promise<unknown> {
  const right = `write export default ({ define${kind === 'task' ? 'Task' : 'Check'}, sh, z }) => …`;
  const { default: make } = (await imported(file)) as { readonly default?: unknown };
  if (make === undefined) throw complaint('no default export', { file }, 'registry.no-default', right);
  if (typeof make !== 'function') throw complaint('the default export is not a function', { file }, 'registry.no-function', right);
  try {
    return (await make(toolkit)) as unknown;
  } catch (error) {
    throw complaint(`its function fails: ${said(error)}`, placeIn(file, error), 'registry.fails');
  }
}

async function imported(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    const [message, place] = syntaxError(file) ?? [said(error), placeIn(file, error)];
    throw complaint(`this file does not load: ${message}`, place, 'registry.load');
  }
}

/** Where the syntax is wrong: the error of an import does not say it, Node's own check does. */
function syntaxError(file: string): readonly [string, Where] | undefined {
  const { stderr } = spawnSync(process.execPath, ['--experimental-default-type=module', '--check', resolve(file)], { encoding: 'utf8' });
  const [, line] = /^[^\n]*:(\d+)\n/.exec(stderr ?? '') ?? [];
  const [message] = /^\w*Error: .*/m.exec(stderr ?? '') ?? [];
  if (line === undefined || message === undefined) return undefined;
  // Where a file ends too early there is nothing to point at.
  const [, before] = /\n( *)\^/.exec(stderr) ?? [];
  return [message, { file, line: Number(line), ...(before !== undefined && { column: before.length + 1 }) }];
}
