/** What an entry's templates come to on one host: its condition, its parameters checked by its word's schema. */
import type { z } from 'zod';
import type { Where } from '../errors.ts';
import { nearest } from '../inventory/nearest.ts';
import type { Template } from '../model.ts';
import { complaint, located } from './complaint.ts';
import { evaluate, FactsNeeded, fill, type Scope } from './expression.ts';
import { undefinedVariable } from './scope.ts';

/** True or false when the conditions can be decided now; those that need facts, joined to one, otherwise. */
export function decide(when: readonly Template[], scope: Scope): boolean | string {
  const waiting: string[] = [];
  for (const condition of when) {
    const text = String(condition.value);
    try {
      if (!evaluate(text, scope)) return false;
    } catch (error) {
      if (!(error instanceof FactsNeeded)) throw located(error, condition.place(), 'playbook.expression', 'when: ');
      rejectUndefined(text, scope, condition.place());
      waiting.push(text);
    }
  }
  const [first] = waiting;
  return first === undefined ? true : waiting.length === 1 ? first : waiting.map((text) => `(${text})`).join(' && ');
}

/** A condition that stops at a fact has not come to all its variables yet. One that asks for names with "in" is left alone. */
function rejectUndefined(text: string, scope: Scope, where: Where): void {
  if (/\bin\s+vars\b/.test(text)) return;
  for (const [, name = ''] of text.matchAll(/\bvars\.([A-Za-z_$][\w$]*)/g)) {
    if (!(name in scope.vars)) throw located(undefinedVariable(name, Object.keys(scope.vars)), where, 'playbook.variable', 'when: ');
  }
}

/** The template's value; a fact in it cannot be known before the probe. */
export function filled(template: Template, scope: Scope): unknown {
  return fill(template.value, scope, (error, path) => {
    const where = template.place(path);
    if (!(error instanceof FactsNeeded)) throw located(error, where, 'playbook.expression');
    throw complaint(
      `${error.message} is not known here`,
      where,
      'playbook.facts',
      'facts, and what tasks have said, may be used in "when", in templates, and behind "barrier: true"',
    );
  });
}

/** The parameters as the word's schema wants them. */
export function checked(schema: z.ZodType, params: Template, value: unknown, name: string): unknown {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = (issue?.path ?? []).map((part) => (typeof part === 'number' ? part : String(part)));
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const where = unknown === undefined ? params.place(path) : params.place([...path, unknown], true);
  const hint = `see "lvsctl tasks ${name}"`;
  throw complaint(`${[name, ...path].join('.')}: ${issue?.message ?? 'not accepted'}`, where, 'playbook.params', hint);
}

/** What the word means; the nearest spelling where there is no such word. */
export function word<Definition>(name: string, known: ReadonlyMap<string, Definition>, kind: string, where: Where): Definition {
  const found = known.get(name);
  if (found) return found;
  const close = nearest(name, [...known.keys()]);
  const hint = close ? `did you mean "${close}"?` : `known: ${[...known.keys()].join(', ')}`;
  throw complaint(`there is no ${kind} "${name}"`, where, 'playbook.unknown-word', hint);
}
