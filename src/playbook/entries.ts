/** The entries of a list of tasks or checks: settings, and one further key, the word with its parameters. */
import type { z } from 'zod';
import { nearest } from '../inventory/nearest.ts';
import type { CheckEntry, HandlerEntry, TaskEntry } from '../model.ts';
import { type Around, within, words } from './around.ts';
import { habitIn } from './habits.ts';
import { openImport } from './imports.ts';
import { misshapen, type Path, place, type Reader, shaped, template } from './reader.ts';
import {
  blockKeys,
  blockShape,
  checkKeys,
  checkShape,
  handlerKeys,
  handlerShape,
  importKeys,
  importShape,
  taskKeys,
  taskShape,
} from './shapes.ts';

/** The tasks of a list, those of its blocks and imports among them. */
export function readTasks(list: readonly unknown[], path: Path, reader: Reader, around: Around): readonly TaskEntry[] {
  return list.flatMap((item, index) => {
    const at = [...path, index];
    const keys = item !== null && typeof item === 'object' ? item : {};
    if ('block' in keys) return readBlock(item, at, reader, around);
    if ('import_tasks' in keys) return importTasks(item, at, reader, around);
    return [readTask(item, at, reader, around)];
  });
}

function readBlock(item: unknown, path: Path, reader: Reader, around: Around): readonly TaskEntry[] {
  const block = shaped(blockShape, item, path, reader, { keys: blockKeys, hint: 'a block is a list of tasks' });
  return readTasks(block.block, [...path, 'block'], reader, within(around, block, path, reader));
}

function importTasks(item: unknown, path: Path, reader: Reader, around: Around): readonly TaskEntry[] {
  const entry = shaped(importShape, item, path, reader, { keys: importKeys, hint: 'import_tasks is the path of a file' });
  const imported = openImport(entry.import_tasks, place([...path, 'import_tasks'], reader), reader);
  const list = imported.source.value ?? [];
  if (!Array.isArray(list)) throw misshapen('not a list of tasks', place([], imported), 'a file of tasks is a list, as under "tasks"');
  return readTasks(list, [], imported, within(around, entry, path, reader));
}

function readTask(item: unknown, path: Path, reader: Reader, around: Around): TaskEntry {
  const entry = readShape(taskShape, item, path, reader, taskKeys);
  const word = wordOf(entry, taskKeys, path, reader);
  const { when, tags, vars, notify } = within(around, entry, path, reader);
  return {
    name: template(entry.name ?? word, [...path, entry.name === undefined ? word : 'name'], reader),
    task: word,
    params: template(entry[word], [...path, word], reader),
    when,
    tags,
    vars,
    notify,
    ...('loop' in entry && { loop: template(entry.loop, [...path, 'loop'], reader) }),
    where: place([...path, word], reader, true),
  };
}

export function readHandlers(entries: readonly unknown[], path: Path, reader: Reader, around: Around): readonly HandlerEntry[] {
  return entries.map((item, index) => {
    const at = [...path, index];
    const entry = readShape(handlerShape, item, at, reader, handlerKeys);
    const task = wordOf(entry, handlerKeys, at, reader);
    if (entry.name === undefined) throw misshapen('a handler without a name', place(at, reader), 'a handler is notified by its name');
    const { when, vars } = within(around, entry, at, reader);
    const params = template(entry[task], [...at, task], reader);
    return { name: entry.name, task, params, when, vars, listen: words(entry.listen), where: place([...at, task], reader, true) };
  });
}

export function readChecks(entries: readonly unknown[], path: Path, reader: Reader, around: Around): readonly CheckEntry[] {
  return entries.map((item, index) => {
    const at = [...path, index];
    const entry = readShape(checkShape, item, at, reader, checkKeys);
    const word = wordOf(entry, checkKeys, at, reader);
    const params = template(entry[word], [...at, word], reader);
    const { when, vars } = within(around, entry, at, reader);
    return {
      when,
      vars,
      name: entry.name ?? word,
      check: word,
      params,
      where: place([...at, word], reader, true),
    };
  });
}

function readShape<Shape>(schema: z.ZodType<Shape>, item: unknown, path: Path, reader: Reader, keys: readonly string[]): Shape {
  return shaped(schema, item, path, reader, { keys, hint: 'an entry is a word with its parameters, such as "group: { name: web }"' });
}

function wordOf(entry: object, keys: readonly string[], path: Path, reader: Reader): string {
  const found = Object.keys(entry).filter((key) => !keys.includes(key));
  const habit = habitIn(found);
  if (habit) throw misshapen(`there is no "${habit.word}"`, place([...path, habit.word], reader, true), habit.hint);
  const [word, second] = found;
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
