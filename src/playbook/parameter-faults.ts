/** What is wrong with the parameters of a task or check, in a sentence: what is there, and what would be right. */
import { z } from 'zod';
import { formatValue } from '../inventory/complaints.ts';
import { didYouMean } from '../inventory/nearest.ts';

interface ParameterFault {
  /** Inside the parameters. */
  readonly path: readonly (string | number)[];
  /** The key is what is wrong, not its value. */
  readonly atKey: boolean;
  readonly message: string;
  /** Empty, or with `; ` at its end. */
  readonly hint: string;
}

export function explainParameter(issue: z.core.$ZodIssue | undefined, word: string, schema: z.ZodType, value: unknown): ParameterFault {
  const path = (issue?.path ?? []).map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue?.code === 'unrecognized_keys') return unknownParameter(issue.keys[0] ?? '', path, word, schema);
  const name = [word, ...path].join('.');
  const there = path.reduce<unknown>((inside, part) => (inside as Readonly<Record<string, unknown>> | undefined)?.[part], value);
  const right = issue?.code === 'invalid_type' ? (kinds[issue.expected] ?? issue.expected) : undefined;
  if (there === undefined || there === null) {
    return { path, atKey: false, message: `${name} is missing`, hint: missingHint(issue, right) };
  }
  const jinja = typeof there === 'string' && there.includes('{{') ? 'a value is written <%= … %>, not {{ … }}; ' : '';
  if (right === undefined) return { path, atKey: false, message: `${name}: ${issue?.message ?? 'not accepted'}`, hint: jinja };
  const needs = path.length === 0 ? `it takes ${Object.keys(parametersOf(schema)).join(', ')}; ` : jinja;
  return { path, atKey: false, message: `${name} is ${formatValue(there)}, not ${right}`, hint: needs };
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** A message that the schema's author wrote says what is wanted. */
function missingHint(issue: z.core.$ZodIssue | undefined, right: string | undefined): string {
  if (issue === undefined || /^Invalid/.test(issue.message)) return right === undefined ? '' : `it is ${right}; `;
  return `it is ${issue.message}; `;
}

function unknownParameter(key: string, path: readonly (string | number)[], word: string, schema: z.ZodType): ParameterFault {
  const known = path.length === 0 ? Object.keys(parametersOf(schema)) : [];
  const list = known.length > 0 ? `it takes ${known.join(', ')}; ` : path.length === 0 ? 'it takes none; ' : '';
  const message = `${[word, ...path].join('.')} has no parameter "${key}"`;
  return { path: [...path, key], atKey: true, message, hint: `${didYouMean(key, known)}${list}` };
}

function parametersOf(schema: z.ZodType): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }).properties ?? {};
}
