/** A playbook file as data, and the place of every complaint about it. */
import type { z } from 'zod';
import { EXIT, LvsError, type Where } from '../errors.ts';
import { readUtf8, whyUnreadable } from '../inventory/document/read-utf8.ts';
import { readYaml, type YamlSource } from '../inventory/document/yaml-source.ts';
import { nearest } from '../inventory/nearest.ts';
import type { Template } from '../model.ts';
import { complaint } from './complaint.ts';
import { habitIn } from './habits.ts';

export type Path = readonly (string | number)[];

export interface Reader {
  readonly file: string;
  readonly source: YamlSource;
  /** The files that import this one, the outermost first, and this one. */
  readonly chain: readonly string[];
  /** Filled by every file that is read. */
  readonly secretNames: Set<string>;
}

/** Throws LvsError (exit 4): where the file is imported, or else the file itself. */
export function readText(file: string, where: Where = { file }): string {
  try {
    return readUtf8(file);
  } catch (error) {
    if (error instanceof LvsError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT' ? `there is no file ${file}` : `${file}: ${whyUnreadable(error)}`;
    const message = where.file === file ? whyUnreadable(error) : missing;
    throw new LvsError(message, { code: 'playbook.unreadable', exitCode: EXIT.badInput, where });
  }
}

export function openReader(
  text: string,
  file: string,
  from: Pick<Reader, 'chain' | 'secretNames'> = { chain: [], secretNames: new Set() },
): Reader {
  const source = readYaml(text);
  const [syntax] = source.complaints;
  if (syntax) throw misshapen(`${syntax.found}; ${syntax.hint}`, { file, ...source.locate(syntax) });
  for (const name of source.secretNames) from.secretNames.add(name);
  return { file, source, chain: [...from.chain, file], secretNames: from.secretNames };
}

export function place(path: Path, { file, source }: Pick<Reader, 'file' | 'source'>, atKey = false): Where {
  return { file, ...source.locate({ at: path, atKey }) };
}

export function template(value: unknown, path: Path, reader: Reader): Template {
  return { value, place: (inside = [], atKey = false) => place([...path, ...inside], reader, atKey) };
}

/** The value in the wanted form. `keys` are what a mapping at this path may hold. */
export function shaped<Shape>(schema: z.ZodType<Shape>, value: unknown, path: Path, reader: Reader, about: Shaped): Shape {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const inside = (issue?.path ?? []).filter((part) => typeof part !== 'symbol');
  if (issue?.code === 'unrecognized_keys') throw unknownKey(issue.keys[0] ?? '', [...path, ...inside], reader, about);
  const message = issue?.message ?? 'not accepted';
  throw misshapen(message, place([...path, ...inside], reader), message === about.hint ? undefined : about.hint);
}

export interface Shaped {
  readonly keys: readonly string[];
  readonly hint: string;
}

function unknownKey(key: string, path: Path, reader: Reader, { keys }: Shaped): LvsError {
  const close = nearest(key, keys);
  const hint = habitIn([key])?.hint ?? `${close ? `did you mean "${close}"? ` : ''}allowed: ${keys.join(', ')}`;
  return misshapen(`unknown key "${key}"`, place([...path, key], reader, true), hint);
}

export function misshapen(message: string, where: Where, hint?: string): LvsError {
  return complaint(message, where, 'playbook.shape', hint);
}
