/** Lines are edited in the plan and, later, on the host: both must come to the same text, whatever the file holds. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { secretSlot } from '../../../../src/sh/secret.ts';
import { sh } from '../../../../src/task.ts';
import { applyEdits, editFile, type LineEdit } from '../../../../src/tasks/support/files/edit-lines.ts';
import { shells } from '../../../support/lint-shell.ts';
import { runIn } from '../../../support/run-shell.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-edit-'));
  path = join(folder, "na me'$x");
});
afterEach(() => rmSync(folder, { recursive: true }));

const me = { owner: String(process.getuid?.()), group: String(process.getgid?.()) };
const edit = (shell: (typeof shells)[number], edits: readonly LineEdit[], resolve?: (value: string) => string) =>
  runIn(shell, editFile({ path, edits, ...me }), resolve);

const line = fc.oneof(
  fc.constantFrom(
    '',
    '10',
    '10.0',
    '1e1',
    ' 10',
    'a',
    'a=b',
    '\\n',
    '\\',
    '%s',
    '-',
    '~x',
    '+y',
    '\r',
    "it's $HOME `id`",
    'é',
    '&',
    'x'.repeat(9000),
  ),
  fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\0\n]/g, '')),
);
const content = fc
  .tuple(fc.array(line, { maxLength: 8 }), fc.boolean())
  .map(([all, final]) => all.join('\n') + (final && all.length > 0 ? '\n' : ''));

/** Edits of lines that are there, as a plan makes them. */
const situation = content.chain((text) => {
  const there = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const place = fc.oneof(
    fc.constantFrom('start' as const, 'end' as const),
    ...some(there).map((one) => one.map((after) => ({ after }))),
    ...some(there).map((one) => one.map((before) => ({ before }))),
  );
  const insert = fc.record({ kind: fc.constant('insert' as const), line, at: place });
  const others = some(there).flatMap((old) => [
    fc.record({ kind: fc.constant('replace' as const), old, by: line }),
    fc.record({ kind: fc.constant('remove' as const), old }),
  ]);
  return fc.record({ text: fc.constant(text), edits: fc.oneof(insert, ...others).map((one): readonly LineEdit[] => [one]) });
});

function some<Value>(values: readonly Value[]): readonly fc.Arbitrary<Value>[] {
  return values.length > 0 ? [fc.constantFrom(...values)] : [];
}

describe.each(shells)('%s', (shell) => {
  test('the host comes to the text that the plan shows', () => {
    fc.assert(
      fc.property(situation, ({ text, edits }) => {
        writeFileSync(path, text);
        expect(edit(shell, edits)).toEqual({ stdout: '', stderr: '', exit: 0 });
        expect(readFileSync(path, 'utf8')).toBe(applyEdits(text, edits));
      }),
      { numRuns: 25 },
    );
  });

  test('several edits follow one another, and a second run changes nothing', () => {
    const edits: readonly LineEdit[] = [
      { kind: 'replace', old: 'b', by: 'B' },
      { kind: 'remove', old: 'c' },
      { kind: 'insert', line: 'after', at: { after: 'B' } },
      { kind: 'insert', line: 'before', at: { before: 'B' } },
      { kind: 'insert', line: 'first', at: 'start' },
      { kind: 'insert', line: 'last', at: 'end' },
    ];
    writeFileSync(path, 'a\nb\nc\nd');
    for (const _ of [1, 2]) {
      expect(edit(shell, edits).exit).toBe(0);
      expect(readFileSync(path, 'utf8')).toBe('first\na\nbefore\nB\nafter\nd\nlast\n');
    }
    expect(applyEdits('a\nb\nc\nd', edits)).toBe('first\na\nbefore\nB\nafter\nd\nlast\n');
  });

  test('bytes that are no valid text stay, and so do owner and mode', () => {
    const bytes = Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x80, 0x0d, 0x0a, 0x62]);
    writeFileSync(path, bytes, { mode: 0o640 });
    expect(edit(shell, [{ kind: 'replace', old: 'a', by: 'A' }]).exit).toBe(0);
    expect(readFileSync(path)).toEqual(Buffer.concat([Buffer.from('A'), bytes.subarray(1)]));
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  test('a file that is not there is made', () => {
    expect(
      edit(shell, [{ kind: 'insert', line: secretSlot('s'), at: 'end' }], (value) => value.replace(secretSlot('s'), 'hunter2')).exit,
    ).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe('hunter2\n');
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  test('a line that is gone since the plan, or a text that is not valid, fails and leaves the file', () => {
    writeFileSync(path, 'x\n');
    const gone = edit(shell, [{ kind: 'replace', old: 'y', by: 'z' }]);
    expect(gone.exit).toBe(1);
    expect(gone.stderr).toContain('is not what it was when the plan was made');
    expect(edit(shell, [{ kind: 'insert', line: 'z', at: { after: 'y' } }]).exit).toBe(1);
    const validate = () => sh`false`;
    expect(runIn(shell, editFile({ path, edits: [{ kind: 'remove', old: 'x' }], validate, ...me })).exit).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('x\n');
    expect(readdirSync(folder)).toHaveLength(1);
  });
});
