/**
 * Text from a template (EJS). Templates are trusted code of the project or of the user; what comes back from a host only ever comes
 * in as a value. Nothing is HTML-escaped, nothing is included, and a value that is not there is an error, not an empty word.
 */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import ejs from 'ejs';
import { EXIT, LvsError } from '../errors.ts';

export interface Template {
  /** Said in complaints: a file's name, or `template`. */
  readonly name: string;
  readonly text: string;
}

/**
 * The template that `said` stands for: text (anything with a newline or a `<%`), a path with a slash (relative to the inventory's
 * folder), or the name of one that comes with lvsctl (`nginx.conf.ejs`). Throws LvsError `template.missing`.
 */
export function loadTemplate(said: string, inventoryFile = '.'): Template {
  if (/\n|<%/.test(said) || !said.endsWith('.ejs')) return { name: 'template', text: said };
  const own = new URL(said, import.meta.url);
  const path = said.includes('/') ? (isAbsolute(said) ? said : resolve(dirname(inventoryFile), said)) : own;
  try {
    return { name: said, text: readFileSync(path, 'utf8') };
  } catch (cause) {
    throw new LvsError(`there is no template ${said}`, {
      code: 'template.missing',
      exitCode: EXIT.badInput,
      hint: 'a path is relative to the folder of the playbook, or else of the inventory; a bare name is one that comes with lvsctl',
      cause,
    });
  }
}

/** The text. `values` are the names that the template may use. Throws LvsError `template.failed` with the template's line. */
export function renderTemplate(template: Template, values: Readonly<Record<string, unknown>>): string {
  const options = { escape: word, filename: template.name, includer: noInclude };
  try {
    return ejs.render(template.text, { ...values }, options);
  } catch (cause) {
    throw failed(template, cause);
  }
}

function word(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TypeError(value === undefined || value === null ? 'a value that is not there' : 'a value that is no text');
}

function noInclude(): never {
  throw new TypeError('include() is not to be had here');
}

/** EJS puts `NAME:LINE`, an excerpt and a blank line before what went wrong; only the first and the last are for people. */
function failed(template: Template, cause: unknown): LvsError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const line = /^[^\n]*:(\d+)\n/.exec(message)?.[1];
  const what = (message.split('\n\n').at(line === undefined ? 0 : -1) ?? message).split('\n', 1)[0] ?? '';
  return new LvsError(what, {
    code: 'template.failed',
    exitCode: EXIT.badInput,
    where: { file: template.name, ...(line !== undefined && { line: Number(line) }) },
    hint: 'every name and value that a template uses must be there',
    cause,
  });
}
