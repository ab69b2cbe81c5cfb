/** `loop:` a list, or an expression that gives one; the task is done once for each value. */
import type { Iteration, Template } from '../model.ts';
import { complaint } from './complaint.ts';
import type { Scope } from './expression.ts';
import { filled } from './values.ts';

/** Throws LvsError (exit 4) at the loop for anything but a list: the letters of a text are never what is meant. */
export function turnsOf(loop: Template, scope: Scope): readonly Iteration[] {
  const list = filled(loop, scope);
  if (Array.isArray(list)) return list.map((item, index) => ({ item, index }));
  throw complaint(`loop is ${kind(list)}, not a list`, loop.place(), 'playbook.loop', hintFor(list));
}

/** The name of a turn that does not name its value itself. */
export function turnName(name: string, { item, index }: Iteration): string {
  return `${name} (${label(item) ?? index + 1})`;
}

/** A value short enough to be read in a name; of a mapping its name, or its first text. */
function label(item: unknown): string | undefined {
  if (item === null || typeof item !== 'object') return short(String(item));
  const { name } = item as { readonly name?: unknown };
  const text = [name, ...Object.values(item)].find((value) => typeof value === 'string' || typeof value === 'number');
  return text === undefined ? undefined : short(String(text));
}

function short(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > 40 || line !== text ? `${line.slice(0, 39)}…` : line;
}

function kind(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  return typeof value === 'string' ? `the text ${JSON.stringify(value)}` : `a ${typeof value === 'object' ? 'mapping' : typeof value}`;
}

function hintFor(value: unknown): string {
  if (typeof value === 'string') return 'write a list, [a, b], or one expression alone, "<%= … %>", that gives a list';
  if (value !== null && typeof value === 'object') return 'write Object.entries(…) in an expression: item is then [key, value]';
  return 'write a list, [a, b], or an expression that gives one';
}
