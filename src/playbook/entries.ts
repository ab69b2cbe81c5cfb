/** The entries of a list of tasks or checks: settings, and one further key, the word with its parameters. */
import type { z } from 'zod';
import { nearest } from '../inventory/nearest.ts';
import type { CheckEntry, TaskEntry, Template } from '../model.ts';
import { misshapen, type Path, place, type Reader, shaped, template } from './reader.ts';
import { checkKeys, checkShape, taskKeys, taskShape } from './shapes.ts';

/** What is said around an entry, and holds for it too. */
export interface Around {
  readonly vars: readonly Template[];
  readonly tags: readonly string[];
}

export function readTasks(list: readonly unknown[], path: Path, reader: Reader, around: Around): readonly TaskEntry[] {
  return list.map((item, index) => readTask(item, [...path, index], reader, around));
}

function readTask(item: unknown, path: Path, reader: Reader, around: Around): TaskEntry {
  const entry = readShape(taskShape, item, path, reader, taskKeys);
  const word = wordOf(entry, taskKeys, path, reader);
  return {
    ...common(entry, path, reader, around),
    name: template(entry.name ?? word, [...path, entry.name === undefined ? word : 'name'], reader),
    task: word,
    params: template(entry[word], [...path, word], reader),
    tags: [...around.tags, ...list(entry.tags)],
    notify: templates(entry.notify, [...path, 'notify'], reader),
    ...('loop' in entry && { loop: template(entry.loop, [...path, 'loop'], reader) }),
    where: place([...path, word], reader, true),
  };
}

export function readChecks(entries: readonly unknown[], path: Path, reader: Reader, around: Around): readonly CheckEntry[] {
  return entries.map((item, index) => {
    const at = [...path, index];
    const entry = readShape(checkShape, item, at, reader, checkKeys);
    const word = wordOf(entry, checkKeys, at, reader);
    const params = template(entry[word], [...at, word], reader);
    return {
      ...common(entry, at, reader, around),
      name: entry.name ?? word,
      check: word,
      params,
      where: place([...at, word], reader, true),
    };
  });
}

function common(entry: z.infer<typeof checkShape>, path: Path, reader: Reader, around: Around): Pick<TaskEntry, 'when' | 'vars'> {
  return {
    when: templates(entry.when, [...path, 'when'], reader),
    vars: entry.vars === undefined ? around.vars : [...around.vars, template(entry.vars, [...path, 'vars'], reader)],
  };
}

function readShape<Shape>(schema: z.ZodType<Shape>, item: unknown, path: Path, reader: Reader, keys: readonly string[]): Shape {
  return shaped(schema, item, path, reader, { keys, hint: 'an entry is a word with its parameters, such as "group: { name: web }"' });
}

function wordOf(entry: object, keys: readonly string[], path: Path, reader: Reader): string {
  const [word, second] = Object.keys(entry).filter((key) => !keys.includes(key));
  if (word === undefined)
    throw misshapen('nothing to do', place(path, reader), 'name a task, such as "service: { name: nginx, state: started }"');
  if (second === undefined) return word;
  const close = nearest(second, keys) ?? nearest(word, keys);
  throw misshapen(
    `two words in one entry: ${word} and ${second}`,
    place([...path, second], reader, true),
    close ? `did you mean "${close}"?` : 'give each an entry of its own',
  );
}

/** One word or a list of them; a comma separates words too. */
export function list(value: string | readonly string[] | undefined): readonly string[] {
  const words = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  return words.flatMap((word) => word.split(',').map((part) => part.trim())).filter((word) => word !== '');
}

/** One value or a list of them, each with its place. */
function templates(value: unknown, path: Path, reader: Reader): readonly Template[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map((item, index) => template(item, [...path, index], reader)) : [template(value, path, reader)];
}
