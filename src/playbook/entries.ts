/** The entries of lists of tasks, handlers and checks: settings, and one further key, the word with its parameters. */
import type { z } from 'zod';
import { nearest } from '../inventory/nearest.ts';
import type { CheckEntry, HandlerEntry, TaskEntry } from '../model.ts';
import { type Around, within, words } from './around.ts';
import { habitIn } from './habits.ts';
import { misshapen, type Path, place, type Reader, shaped, template } from './reader.ts';
import { checkKeys, checkShape, handlerKeys, handlerShape, taskKeys, taskShape } from './shapes.ts';

/** One task; its phase is given to it by the list that it stands in. */
export function readTask(item: unknown, path: Path, reader: Reader, around: Around): TaskEntry {
  const entry = readShape(taskShape, item, path, reader, taskKeys);
  const word = wordOf(entry, taskKeys, path, reader);
  const { when, tags, vars, notify, frames } = within(around, entry, path, reader);
  rejectLooseTries(entry, path, reader);
  return {
    name: template(entry.name ?? word, [...path, entry.name === undefined ? word : 'name'], reader),
    task: word,
    params: template(entry[word], [...path, word], reader),
    when,
    tags,
    vars,
    notify,
    frames,
    phase: 0,
    runOnce: entry.run_once ?? false,
    ...('loop' in entry && { loop: template(entry.loop, [...path, 'loop'], reader) }),
    ...(entry.register !== undefined && { register: entry.register }),
    ...(entry.until !== undefined && { until: template(entry.until, [...path, 'until'], reader) }),
    ...(entry.delegate_to !== undefined && { delegateTo: template(entry.delegate_to, [...path, 'delegate_to'], reader) }),
    ...((entry.until !== undefined || entry.retries !== undefined) && {
      tries: { tries: 1 + (entry.retries ?? defaultRetries), delay: entry.delay ?? defaultDelay },
    }),
    where: place([...path, word], reader, true),
  };
}

/** As in Ansible; the delay is in seconds. */
const defaultRetries = 3;
const defaultDelay = 5;

function rejectLooseTries(
  entry: { readonly delay?: unknown; readonly until?: unknown; readonly retries?: unknown; readonly loop?: unknown },
  path: Path,
  reader: Reader,
): void {
  if (entry.delay !== undefined && entry.until === undefined && entry.retries === undefined)
    throw misshapen('delay without until or retries', place([...path, 'delay'], reader, true), 'say how often to try: retries: 3');
  if (entry.until !== undefined && entry.loop !== undefined)
    throw misshapen('until and loop in one task', place([...path, 'until'], reader, true), 'write one task for each value');
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
