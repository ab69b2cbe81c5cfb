/** Values that try to be more than values, and parameters full of them. */
import fc from 'fast-check';
import type { z } from 'zod';

/** Part of every hostile value, and of nothing else: where it turns up, the value went. */
export const token = 'qzx7';

/** `canary` is a command that must never run, and a file that must never appear. */
const pieces = [
  ...[
    '$(canary)',
    '`canary`',
    "';canary;'",
    '";canary;"',
    '\ncanary\n',
    ';canary;',
    '|canary',
    '&canary&',
    '>canary',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the dollar is the shell's
    '${canary:=`canary`}',
  ],
  ...[
    ' * ',
    ' ? [a-z] ',
    '\\',
    "'",
    '"',
    '$',
    '~',
    '!',
    '#',
    '%s%d',
    '\t',
    '\r',
    '$IFS',
    'é',
    '漢字',
    '🜚',
    '\u2028',
    '(',
    '{',
    '<<E',
    '=',
    '&&',
  ],
  // Templates of ours: one that is evaluated does not come out as it went in.
  ...["<%= 'canary' %>", "<%- 'canary' %>", "<% throw 'canary' %>", '<%%', '%>', '-%>'],
];

/** A leading dash one time in three. */
export const hostileText: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('', '-', '--'), fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 5 }), fc.constantFrom(...pieces))
  .map(([dash, before, after]) => `${dash}${dash && token}${before.join('')}${token}${after}`);

/**
 * The parameters with as many strings (and keys of free-form mappings) replaced as the schema accepts. Where it refuses the bare value,
 * the value is tried at the end of the old one, and for paths as a file name in `folder`.
 */
export function makeHostile(schema: z.ZodType, params: unknown, hostile: string, folder: string): unknown {
  const flat = hostile.replaceAll('/', '');
  const forms = (old: string): readonly string[] =>
    old.startsWith('/')
      ? [`${folder}/${flat}`, `${folder}/${flat.replaceAll('\n', '')}`]
      : [hostile, flat.replaceAll('\n', ''), `${old}${hostile}`, `${old}-${token}`];
  let current = structuredClone(params);
  const attempt = (changed: unknown): boolean => {
    if (!schema.safeParse(changed).success) return false;
    current = changed;
    return true;
  };
  for (const path of stringPaths(params)) forms(String(at(current, path))).some((form) => attempt(replaced(current, path, form)));
  for (const path of mappingPaths(params)) {
    const mapping = at(current, path) as Record<string, unknown>;
    const [value] = Object.values(mapping);
    if (value !== undefined) [hostile, `x.${token}`].some((key) => attempt(replaced(current, [...path, key], value)));
  }
  return current;
}

type Path = readonly (string | number)[];

function entries(value: unknown): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return [...value.entries()];
  return value !== null && typeof value === 'object' ? Object.entries(value) : [];
}

function stringPaths(value: unknown): readonly Path[] {
  if (typeof value === 'string') return [[]];
  return entries(value).flatMap(([key, inner]) => stringPaths(inner).map((path) => [key, ...path]));
}

function mappingPaths(value: unknown): readonly Path[] {
  const inner = entries(value).flatMap(([key, each]) => mappingPaths(each).map((path) => [key, ...path]));
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? [[], ...inner] : inner;
}

function at(value: unknown, path: Path): unknown {
  return path.reduce((inner, key) => (inner as Record<string | number, unknown>)[key], value);
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  const inner = (value as Record<string | number, unknown>)[key];
  if (Array.isArray(value)) return value.map((each, index) => (index === key ? replaced(each, rest, by) : each));
  return { ...(value as object), [key]: replaced(inner, rest, by) };
}
