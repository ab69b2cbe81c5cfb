import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lines, quote, renderSh, sh } from '../../src/sh/sh.ts';
import { shells } from '../support/shells.ts';

const show = (fragment: ReturnType<typeof sh>): string => renderSh(fragment, (value) => value);

test('values become words, arrays several, fragments stay shell', () => {
  const flags = sh`--name ${'two words'}`;
  expect(show(sh`run ${flags} -- ${['a', 'b c']} ${7}`)).toBe("run --name 'two words' -- a 'b c' 7");
  expect(show(lines(sh`first`, false, undefined, sh`second`))).toBe('first\nsecond');
});

test('an empty value is still a word', () => {
  expect(show(sh`printf %s ${''}`)).toBe("printf %s ''");
});

test('what is sent and what is shown differ only in values', () => {
  const fragment = sh`echo ${'slot'}`;
  expect(renderSh(fragment, () => "it's")).toBe("echo 'it'\\''s'");
  expect(renderSh(fragment, () => '[secret]')).toBe("echo '[secret]'");
});

test.each(shells)('any string is one word to %s', (...shell) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'binary' }).filter((text) => Buffer.from(text).toString() === text && !text.includes('\0')),
        { minLength: 1, maxLength: 20 },
      ),
      (values) => {
        const script = `printf '%s\\0' ${values.map(quote).join(' ')}`;
        const { stdout } = spawnSync(shell[0] ?? '', shell.slice(1), { input: script, encoding: 'utf8' });
        expect(stdout.split('\0').slice(0, -1)).toEqual(values);
      },
    ),
    { numRuns: 30 },
  );
});
