import type { z } from 'zod';
import { type Complaint, fault, formatPath, formatValue, keyFault, type Path } from './complaints.ts';
import { didYouMean, nearest } from './nearest.ts';

/**
 * What is allowed, where the field of the schema does not say so itself: given to `safeParse` as `error`. The words become the
 * issue's message, and `explainIssue` makes a complaint of it.
 */
export function allowedWords(issue: z.core.$ZodRawIssue): string | undefined {
  const shape = (issue.inst?._zod.def as { readonly shape?: object } | undefined)?.shape;
  const keys = Object.keys(shape ?? {}).join(', ');
  if (issue.code === 'unrecognized_keys') return keys;
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.expected === 'array') return 'a list';
  return shape ? `a mapping with the keys ${keys}` : 'a mapping';
}

/** The complaints that the issues of the schema amount to. `root` is the whole value. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], root: unknown): readonly Complaint[] {
  if (isAnsible(root)) return [ansible];
  const meant = new Set(issues.flatMap(meantKeys));
  // A misspelt key is one mistake, not an unknown and a missing one.
  const separate = issues.filter((issue) => !meant.has(JSON.stringify(issue.path)) || valueAt(root, issue.path) !== undefined);
  return separate.flatMap((issue) => explainIssue(issue, root));
}

/** An inventory of Ansible's has its groups below `all`. */
function isAnsible(root: unknown): boolean {
  const all = valueAt(root, ['all']);
  return valueAt(root, ['directors']) === undefined && all !== null && typeof all === 'object' && ('children' in all || 'hosts' in all);
}

const ansible = keyFault(
  'unknown-key',
  ['all'],
  'this is an inventory of Ansible',
  'directors, backends and clients stand at the top here, and say what the cluster is: see inventory/dr.yaml',
);

/** The paths that misspelt keys should have been. */
function meantKeys(issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code !== 'unrecognized_keys') return [];
  const allowed = issue.message.split(', ');
  return issue.keys.map((key) => JSON.stringify([...issue.path, runTogether(key, allowed) ?? nearest(key, allowed)]));
}

/** The key that is meant by `address:10.18.43.13`, in which YAML sees no colon. */
function runTogether(key: string, allowed: readonly string[]): string | undefined {
  return allowed.find((each) => key.startsWith(`${each}:`));
}

/** The complaints that one issue of the schema amounts to. `above` is the path of an enclosing union. */
function explainIssue(issue: z.core.$ZodIssue, root: unknown, above: Path = []): readonly Complaint[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, issue.message));
    case 'invalid_key':
      return [wrongName(path, issue)];
    case 'invalid_union':
      return explainUnion(issue, root, path);
    default:
      return [wrongValue(issue, path, valueAt(root, path))];
  }
}

function wrongValue(issue: z.core.$ZodIssue, path: Path, value: unknown): Complaint {
  if (value === undefined) return fault('missing', path, `${formatPath(path)} is missing`, `required: ${issue.message}`);
  const near = issue.code === 'invalid_value' && typeof value === 'string' ? didYouMean(value, issue.values.map(String)) : '';
  const code = issue.code === 'invalid_type' ? 'wrong-type' : 'wrong-value';
  const quoted = issue.code === 'invalid_type' && issue.expected !== 'string' && typeof value === 'string' && /^\d+(\.\d+)?$/.test(value);
  return fault(code, path, describe(path, value), `${quoted ? 'write it without quotes; ' : near}allowed: ${issue.message}`);
}

/** Keys that Ansible users type from habit, with what is said instead. */
const habits: Readonly<Record<string, string>> = {
  ansible_host: 'write address',
  ansible_port: 'write ssh: { port: … }',
  ansible_ssh_private_key_file: 'write ssh: { key: … }',
  ansible_user: 'write ssh: { user: … }',
  children: 'name the groups under hosts',
};

function unknownKey(key: string, path: Path, allowed: string): Complaint {
  const found = `unknown key ${formatValue(key)}${path.length > 0 ? ` in ${formatPath(path)}` : ''}`;
  const words = allowed.split(', ');
  const spaced = runTogether(key, words) !== undefined && 'write a space after the colon; ';
  const habit = spaced || (Object.hasOwn(habits, key) ? `${habits[key]}; ` : didYouMean(key, words));
  return keyFault('unknown-key', [...path, key], found, `${habit}allowed: ${allowed}`);
}

function wrongName(path: Path, issue: z.core.$ZodIssueInvalidKey): Complaint {
  const found = `${formatPath(path.slice(0, -1))} has the name ${formatValue(path.at(-1))}`;
  return keyFault('wrong-name', path, found, `allowed: ${issue.issues[0]?.message}`);
}

/** A value of one branch's type is judged by that branch alone. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, root: unknown, path: Path): readonly Complaint[] {
  const inside = issue.errors.find((issues) => issues.every((inner) => inner.path.length > 0));
  const sameType = issue.errors.find((issues) => issues.every(({ code }) => code !== 'invalid_type' && code !== 'invalid_value'));
  const branch = inside ?? sameType;
  if (branch) return branch.flatMap((inner) => explainIssue(inner, root, path));
  return [fault('wrong-type', path, describe(path, valueAt(root, path)), `allowed: ${issue.message}`)];
}

/** A password is not repeated, not even a wrong one. */
function describe(path: Path, value: unknown): string {
  const name = path.length === 0 ? 'the inventory' : formatPath(path);
  if (path.at(-1) !== 'auth_pass') return `${name} is ${formatValue(value)}`;
  return `${name} is ${typeof value === 'string' ? `text of ${value.length} characters` : `not text but ${typeof value === 'number' ? 'a number' : formatValue(value)}`}`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => {
    const inside = value !== null && typeof value === 'object' && Object.hasOwn(value, part);
    return inside ? (value as Readonly<Record<PropertyKey, unknown>>)[part] : undefined;
  }, root);
}
