import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

test('what JavaScript would lose in silence is refused', () => {
  expect(() => sh`sed 's/\(a\)/\1/' ${'file'}`).toThrow('has the escape \\1, which JavaScript does not know');
  expect(show(sh`sed 's/\\(a\\)/\\1/' ${'file'}`)).toBe("sed 's/\\(a\\)/\\1/' file");
  const nothing = undefined as unknown as string;
  expect(() => sh`cat -- ${nothing}`).toThrow('has no value after "cat -- "');
  expect(() => sh`cat -- ${['a', nothing]}`).toThrow('has no value after "cat -- "');
});

test('no fragment of ours has an escape that JavaScript does not know, not even where no test comes by', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const found = files.flatMap((file) => {
    const escapes = fragmentTexts(readFileSync(join('src', file), 'utf8')).flatMap((text) => text.match(/\\./gs) ?? []);
    return escapes.filter((each) => /[1-9ux]/.test(each)).map((each) => `${file}: ${each}`);
  });
  expect(found).toEqual([]);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a source
  expect(fragmentTexts("sh`a ${x ? sh`\\1` : '}'} \\2`; `\\3`")).toEqual(['a ', ' \\2', '\\1']);
});

/** What stands between the values of each sh`…` in a source, as written. */
function fragmentTexts(source: string): readonly string[] {
  return [...source.matchAll(/\bsh`/g)].flatMap(({ index }) => textsFrom(source, index + 3));
}

function textsFrom(source: string, start: number): readonly string[] {
  const texts = [''];
  for (let at = start; at < source.length && source[at] !== '`'; ) {
    if (source.startsWith('${', at)) {
      at = afterValue(source, at + 2);
      texts.push('');
      continue;
    }
    const width = source[at] === '\\' ? 2 : 1;
    texts.push(`${texts.pop()}${source.slice(at, at + width)}`);
    at += width;
  }
  return texts;
}

/** Behind the brace that closes a value; templates, strings and braces inside it are passed over. */
function afterValue(source: string, start: number): number {
  let at = start;
  while (at < source.length && source[at] !== '}') {
    const sign = source[at] ?? '';
    if (sign === '{') at = afterValue(source, at + 1);
    else if (/['"`]/.test(sign)) at = afterQuoted(source, at + 1, sign);
    else at += 1;
  }
  return at + 1;
}

function afterQuoted(source: string, start: number, quote: string): number {
  let at = start;
  while (at < source.length && source[at] !== quote) {
    if (quote === '`' && source.startsWith('${', at)) at = afterValue(source, at + 2);
    else at += source[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}

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
