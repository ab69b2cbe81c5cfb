/** What an entry's templates come to on one host: its condition, its parameters checked by its word's schema. */
import type { z } from 'zod';
import type { Where } from '../errors.ts';
import { nearest } from '../inventory/nearest.ts';
import type { Template } from '../model.ts';
import { complaint, located } from './complaint.ts';
import { FactsNeeded, type Failed, type FillText, fill, isTrue, type Scope } from './expression.ts';
import { isKnown, unknownName } from './expression-names.ts';
import { moduleHabit } from './habits.ts';
import { besideBook } from './local-paths.ts';
import { explainParameter } from './parameter-faults.ts';
import { undefinedVariable } from './scope.ts';
import { fillingOf, templatesAsText } from './template-parameter.ts';

/** True or false when the conditions can be decided now; those that need facts, joined to one, otherwise. */
export function decide(when: readonly Template[], scope: Scope): boolean | string {
  const waiting: string[] = [];
  for (const condition of when) {
    const text = String(condition.value);
    try {
      if (!isTrue(text, scope)) return false;
    } catch (error) {
      if (!(error instanceof FactsNeeded)) throw located(error, condition.place(), 'playbook.expression', 'when: ');
      rejectUndefined(text, scope, condition.place());
      waiting.push(text);
    }
  }
  const [first] = waiting;
  return first === undefined ? true : waiting.length === 1 ? first : waiting.map((text) => `(${text})`).join(' && ');
}

/** A condition that stops at a fact has not come to all its variables and facts yet. One that asks for names with "in" is left alone. */
function rejectUndefined(text: string, scope: Scope, where: Where): void {
  for (const [, name = ''] of text.matchAll(/\bfacts\.([A-Za-z_$][\w$]*)/g)) {
    if (!isKnown('facts', name)) throw located(unknownName('facts', name), where, 'playbook.expression', 'when: ');
  }
  if (/\bin\s+vars\b/.test(text)) return;
  for (const [, name = ''] of text.matchAll(/\bvars\.([A-Za-z_$][\w$]*)/g)) {
    if (!(name in scope.vars)) throw located(undefinedVariable(name, Object.keys(scope.vars)), where, 'playbook.variable', 'when: ');
  }
}

/** The template's value; a fact in it cannot be known before the probe. */
export function filled(template: Template, scope: Scope, filling?: FillText): unknown {
  const failed: Failed = (error, path) => {
    const where = template.place(path);
    if (!(error instanceof FactsNeeded)) throw located(error, where, 'playbook.expression');
    throw complaint(
      `${error.message} is not known here`,
      where,
      'playbook.facts',
      'it may be used in "when", and here behind "barrier: true"',
    );
  };
  return fill(template.value, scope, failed, filling);
}

/** The same of the parameters of a task: those that are templates take values as text. */
export function filledParams(template: Template, scope: Scope, schema: z.ZodType): unknown {
  const given = filled(template, scope, fillingOf(schema));
  if (typeof template.value !== 'string') return given;
  try {
    return templatesAsText(schema, given);
  } catch (error) {
    throw located(error, template.place(), 'playbook.expression');
  }
}

/** The parameters as the word's schema wants them. */
export function checked(schema: z.ZodType, params: Template, value: unknown, name: string, kind: 'task' | 'check' = 'task'): unknown {
  const result = schema.safeParse(value ?? {});
  if (result.success) return besideBook(schema, result.data, params.place().file);
  const [issue] = result.error.issues;
  const { path, atKey, message, hint } = explainParameter(issue, name, schema, value);
  throw complaint(message, params.place(path, atKey), 'playbook.params', `${hint}see "lvsctl ${kind}s ${name}"`);
}

/** What the word means; the nearest spelling where there is no such word. */
export function word<Definition>(name: string, known: ReadonlyMap<string, Definition>, kind: string, where: Where): Definition {
  const found = known.get(name);
  if (found) return found;
  const close = nearest(name, [...known.keys()]);
  const hint = moduleHabit(name) ?? (close ? `did you mean "${close}"?` : `known: ${[...known.keys()].join(', ')}`);
  throw complaint(`there is no ${kind} "${name}"`, where, 'playbook.unknown-word', hint);
}
