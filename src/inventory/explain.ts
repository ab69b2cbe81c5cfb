import type { z } from 'zod';
import { type Complaint, formatPath, formatValue, type Path } from './complaints.ts';
import { nearest } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/**
 * What is allowed where a field of the schema does not say so itself. To be given to `safeParse` as `error`; `explainIssue` turns
 * these words into complaints.
 */
export function allowedWords(issue: z.core.$ZodRawIssue): string | undefined {
  const shape = (issue.inst?._zod.def as { readonly shape?: object } | undefined)?.shape;
  const keys = Object.keys(shape ?? {}).join(', ');
  if (issue.code === 'unrecognized_keys') return keys;
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.expected === 'array') return 'a list';
  return shape ? `a mapping with the keys ${keys}` : 'a mapping';
}

/** The complaints that one issue of the schema amounts to. `root` is the whole value; `above` the path of an enclosing union. */
export function explainIssue(issue: Issue, root: unknown, above: Path = []): readonly Complaint[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, issue.message));
  if (issue.code === 'invalid_key') return [badName(path, issue)];
  if (issue.code === 'invalid_union') return explainUnion(issue, root, path);
  const value = valueAt(root, path);
  if (value === undefined)
    return [{ code: 'missing', at: path, found: `${formatPath(path)} is missing`, hint: `required: ${issue.message}` }];
  const near = issue.code === 'invalid_value' && typeof value === 'string' ? nearest(value, issue.values.map(String)) : undefined;
  const hint = `${near === undefined ? '' : `did you mean "${near}"? `}allowed: ${issue.message}`;
  return [{ code: issue.code === 'invalid_type' ? 'wrong-type' : 'wrong-value', at: path, found: describe(path, value), hint }];
}

function unknownKey(key: string, path: Path, allowed: string): Complaint {
  const near = nearest(key, allowed.split(', '));
  const found = `unknown key ${formatValue(key)}${path.length > 0 ? ` in ${formatPath(path)}` : ''}`;
  return {
    code: 'unknown-key',
    at: [...path, key],
    atKey: true,
    found,
    hint: `${near === undefined ? '' : `did you mean "${near}"? `}allowed: ${allowed}`,
  };
}

function badName(path: Path, issue: z.core.$ZodIssueInvalidKey): Complaint {
  const found = `the name ${formatValue(path.at(-1))} in ${formatPath(path.slice(0, -1))}`;
  return { code: 'wrong-name', at: path, atKey: true, found, hint: `allowed: ${issue.issues[0]?.message}` };
}

/** A value of the type of one branch is judged by that branch; any other type by what all of them allow. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, root: unknown, path: Path): readonly Complaint[] {
  const branch = issue.errors.find((issues) => issues.every((inner) => inner.path.length > 0));
  if (branch) return branch.flatMap((inner) => explainIssue(inner, root, path));
  return [
    {
      code: 'wrong-type',
      at: path,
      found: describe(path, valueAt(root, path)),
      hint: 'allowed: all, a list of names, or a mapping of names',
    },
  ];
}

/** A password is not repeated, not even a wrong one. */
function describe(path: Path, value: unknown): string {
  const name = path.length === 0 ? 'the inventory' : formatPath(path);
  if (path.at(-1) === 'auth_pass' && typeof value === 'string') return `${name} has ${value.length} characters`;
  return `${name} is ${typeof value === 'number' && path.at(-1) === 'auth_pass' ? 'a number' : formatValue(value)}`;
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => {
    return value !== null && typeof value === 'object' && Object.hasOwn(value, part)
      ? (value as Record<string | number, unknown>)[part]
      : undefined;
  }, root);
}
