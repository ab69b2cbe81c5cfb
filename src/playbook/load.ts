/** YAML → Playbook, with a place for every complaint. What a word means is looked up later, when the playbook is bound. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { EXIT, LvsError, type Where } from '../errors.ts';
import { nearest } from '../inventory/nearest.ts';
import { readYaml, type YamlSource } from '../inventory/yaml-source.ts';
import type { CheckEntry, Play, Playbook, TaskEntry } from '../model.ts';

const playKeys = ['name', 'hosts', 'tasks', 'checks'];
const entryKeys = ['name', 'when', 'tags', 'notify'];

const entryShape = z.looseObject({
  name: z.string().optional(),
  when: z.union([z.string(), z.boolean()]).optional(),
  tags: z.union([z.string(), z.array(z.string())]).optional(),
  notify: z.union([z.string(), z.array(z.string())]).optional(),
});

const playShape = z.strictObject({
  name: z.string(),
  hosts: z.string().optional(),
  tasks: z.array(entryShape).optional(),
  checks: z.array(entryShape).optional(),
});

type Path = readonly (string | number)[];

/** Throws LvsError (exit 4) at file:line:column. */
export function loadPlaybook(file: string): Playbook {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new LvsError(error instanceof Error ? error.message : String(error), {
      code: 'playbook.unreadable',
      exitCode: EXIT.badInput,
      where: { file },
    });
  }
  return parsePlaybook(text, file);
}

export function parsePlaybook(text: string, file: string): Playbook {
  const source = readYaml(text);
  const reader = { file, source };
  const [syntax] = source.complaints;
  if (syntax) throw complaint(`${syntax.found}; ${syntax.hint}`, { file, ...source.locate(syntax) });
  const plays = z.array(playShape).safeParse(source.value);
  if (!plays.success) throw shapeComplaint(plays.error.issues[0], reader);
  return { file, plays: plays.data.map((play, index) => readPlay(play, [index], reader)) };
}

interface Reader {
  readonly file: string;
  readonly source: YamlSource;
}

function readPlay(play: z.infer<typeof playShape>, path: Path, reader: Reader): Play {
  const tasks = (play.tasks ?? []).map((entry, index): TaskEntry => {
    const { word, ...rest } = readEntry(entry, [...path, 'tasks', index], reader);
    return { ...rest, task: word };
  });
  const checks = (play.checks ?? []).map((entry, index): CheckEntry => {
    const { word, tags: _, notify: __, ...rest } = readEntry(entry, [...path, 'checks', index], reader);
    return { ...rest, check: word };
  });
  return { name: play.name, hosts: play.hosts ?? 'all', tasks, checks, where: place(path, reader) };
}

/** An entry is its own settings and one further key: the word, with its parameters. */
function readEntry(entry: z.infer<typeof entryShape>, path: Path, reader: Reader): Omit<TaskEntry, 'task'> & { readonly word: string } {
  const words = Object.keys(entry).filter((key) => !entryKeys.includes(key));
  const [word, second] = words;
  if (word === undefined)
    throw complaint('nothing to do', place(path, reader), 'name a task, such as "service: { name: nginx, state: started }"');
  if (second !== undefined) {
    const close = nearest(second, entryKeys) ?? nearest(word, entryKeys);
    throw complaint(
      `two words in one entry: ${word} and ${second}`,
      place([...path, second], reader, true),
      close ? `did you mean "${close}"?` : 'give each an entry of its own',
    );
  }
  const when = entry.when === undefined ? {} : { when: String(entry.when) };
  return {
    name: entry.name ?? word,
    word,
    params: entry[word],
    ...when,
    tags: list(entry.tags),
    notify: list(entry.notify),
    where: place([...path, word], reader, true),
  };
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function shapeComplaint(issue: z.core.$ZodIssue | undefined, reader: Reader): LvsError {
  const path = (issue?.path ?? []).filter((part) => typeof part !== 'symbol');
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const close = nearest(key, playKeys);
    return complaint(
      `unknown key "${key}"`,
      place([...path, key], reader, true),
      `${close ? `did you mean "${close}"? ` : ''}allowed: ${playKeys.join(', ')}`,
    );
  }
  return complaint(
    issue?.message ?? 'not a playbook',
    place(path, reader),
    'a playbook is a list of plays, each with a name, hosts and tasks',
  );
}

function place(path: Path, { file, source }: Reader, atKey = false): Where {
  return { file, ...source.locate({ at: path, atKey }) };
}

function complaint(message: string, where: Where, hint?: string): LvsError {
  return new LvsError(message, { code: 'playbook.shape', exitCode: EXIT.badInput, where, ...(hint && { hint }) });
}
