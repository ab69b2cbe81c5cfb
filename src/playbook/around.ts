/** What plays, blocks and imports say for all that is in them. */
import type { Frame, Template } from '../model.ts';
import { type Path, type Reader, template } from './reader.ts';

/** The outermost first. */
export interface Around {
  readonly when: readonly Template[];
  readonly tags: readonly string[];
  readonly vars: readonly Template[];
  readonly notify: readonly Template[];
  readonly frames: readonly Frame[];
  /** Where in the play this is, over all imports: unlike a path in a file, it is there once. */
  readonly trail: string;
}

export const nothingAround: Around = { when: [], tags: [], vars: [], notify: [], frames: [], trail: '' };

/** The settings of one of them, as they are typed. */
interface Settings {
  readonly when?: unknown;
  readonly tags?: string | readonly string[] | undefined;
  readonly vars?: object | undefined;
  readonly notify?: unknown;
}

/** What is around, and what this one adds: conditions all hold, tags add up, the last variable of a name counts. */
export function within(around: Around, settings: Settings, path: Path, reader: Reader): Around {
  const { when, tags, vars, notify } = settings;
  return {
    ...around,
    when: [...around.when, ...templates(when, [...path, 'when'], reader)],
    tags: [...new Set([...around.tags, ...words(tags)])],
    vars: vars === undefined ? around.vars : [...around.vars, template(vars, [...path, 'vars'], reader)],
    notify: [...around.notify, ...templates(notify, [...path, 'notify'], reader)],
  };
}

/** The entry with this number of a list. */
export function atEntry(around: Around, index: number): Around {
  return { ...around, trail: `${around.trail}${index}.` };
}

/** One word or a list of them; a comma separates words too. */
export function words(value: string | readonly string[] | undefined): readonly string[] {
  const typed = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  return typed.flatMap((word) => word.split(',').map((part) => part.trim())).filter((word) => word !== '');
}

/** One value or a list of them, each with its place. */
function templates(value: unknown, path: Path, reader: Reader): readonly Template[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map((item, index) => template(item, [...path, index], reader)) : [template(value, path, reader)];
}
