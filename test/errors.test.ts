import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EXIT, formatError, LvsError } from '../src/errors.ts';

const error = (message: string, file = 'a.yaml') =>
  new LvsError(message, { code: 'x', exitCode: EXIT.badInput, where: { file, line: 3, column: 5 }, hint: 'do that' });

test('an error is where, what and what to do', () => {
  expect(formatError(error('there is no file b'))).toBe('a.yaml:3:5: there is no file b; do that');
});

test('what would break the line or hide in it is spelt out, letters of all scripts are not', () => {
  expect(formatError(error('no file a\r\nb\t\u2028\u202e\u001b[2Jü文'))).toBe(
    'a.yaml:3:5: no file a\\x0d\\x0ab\\x09\\u{2028}\\u{202e}\\x1b[2Jü文; do that',
  );
});

test('it is one line, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, file) => {
      expect(formatError(error(message, file))).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
    }),
  );
});
