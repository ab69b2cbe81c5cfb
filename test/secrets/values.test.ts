import { expect, test } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { parseValues } from '../../src/secrets/values.ts';

const form =
  '; write NAME: VALUE on each line, a value that holds ": " or " #" in quotes; NAME is letters, digits, "_", "." and "-" after a letter';
const read = (text: string, shared = false): unknown => {
  try {
    return Object.fromEntries(parseValues(text, { file: 'f', shared }));
  } catch (error) {
    if (error instanceof LvsError && error.exitCode === 4) return formatError(error);
    throw error;
  }
};

test('every value is the text that stands there', () => {
  expect(read('a: 0123\nb: yes\nc: "x: #y"\nd.e-f: |\n  two\n  lines\nn: ~\nm: 1e5\n')).toEqual({
    ...{ a: '0123', b: 'yes', c: 'x: #y' },
    ...{ 'd.e-f': 'two\nlines\n', n: '~', m: '1e5' },
  });
  expect(read('')).toEqual({});
  expect(read('# only a comment\n')).toEqual({});
});

test.each([
  ['a list', '- hunter2\n', `f: no mapping of names to values${form}`],
  ['a word', 'hunter2', `f: no mapping of names to values${form}`],
  ['a mapping inside', 'a: b\nc: { hunter2: x }\n', `f: line 2: the value is not plain text${form}`],
  ['an alias', 'a: &x hunter2\nb: *x\n', `f: line 2: the value is not plain text${form}`],
  ['a tag', 'a: !x hunter2\n', `f: line 1: the value is not plain text${form}`],
  ['no value', 'a: b\nc:\n', `f: line 2: the name has no value${form}`],
  ['a NUL', 'a: "hunter2\\0"\n', `f: line 1: the value holds a NUL character${form}`],
  ['a name that is none', 'a: b\n\n$hunter2: x\n', `f: line 3: the name cannot be that of a secret${form}`],
  ['a name twice', 'hunter2: b\nhunter2: c\n', 'f: line 2 says a name for the second time'],
  ['a quote that is not closed', 'a: b\nc: "hunter2\n', expect.stringMatching(/^f: not valid YAML, at line \d/)],
  ['a value with a colon', 'a: hunter2: x\n', expect.stringMatching(/^f: not valid YAML, at line 1/)],
  ['a second document', 'a: b\n---\nhunter2: d\n', expect.stringMatching(/^f: not valid YAML, at line 2/)],
  ['ten thousand brackets', `a: ${'['.repeat(10_000)}hunter2`, expect.stringMatching(/^f: (nested too deeply|not valid YAML)/)],
])('%s is refused by its line, and nothing of it is repeated', (_, text, said) => {
  expect(read(text)).toEqual(said);
  expect(read(text)).not.toContain('hunter2');
});

test('what others keep in a file of theirs is left to them', () => {
  expect(read('a: b\nlist: [1]\n"not a name": x\nu: !unsafe "{{ x }}"\nv: !vault |\n  x\nempty:\n', true)).toEqual({
    a: 'b',
    u: '{{ x }}',
  });
});
