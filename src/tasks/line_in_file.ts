import { z } from 'zod';
import { type Change, defineTask, type PlanContext } from '../task.ts';
import { editableText, editChange, type LineEdit } from './support/files/edit-lines.ts';
import { validateWith, validator } from './support/files/validator.ts';
import { fileProbe, parseFile, type SeenFile } from './support/files/write-file.ts';
import { absolutePath, text } from './support/params.ts';

const regexp = text
  .min(1)
  .refine(isRegexp, 'a regular expression as JavaScript reads it; most of those for Ansible are, but not (?i) or (?P<name>…)');

const params = z
  .strictObject({
    path: absolutePath.describe('Absolute path of a text file of at most 128 KiB.'),
    line: text
      .regex(/^[^\n]*$/, 'one line')
      .optional()
      .describe('The line as it is to be; needed by `state: present`.'),
    regexp: regexp
      .optional()
      .describe('Finds the line: with `present` the last match is replaced, with `absent` every match goes. It must match `line` too.'),
    state: z.enum(['present', 'absent']).default('present').describe('`absent` takes away every line that matches `regexp` or is `line`.'),
    insert_after: regexp
      .optional()
      .describe(
        'Where a new line goes: after the last line that this matches; at the end of the file unless said, or where nothing matches.',
      ),
    insert_before: regexp.optional().describe('Where a new line goes: before the last line that this matches, or `BOF`: first of all.'),
    create: z.boolean().default(false).describe('Makes the file (root, 0644) where it is missing.'),
    validate: validator,
  })
  .refine((want) => want.state === 'absent' || want.line !== undefined, '"state: present" needs "line"')
  .refine((want) => want.state === 'present' || (want.line ?? want.regexp) !== undefined, '"state: absent" needs "regexp" or "line"')
  .refine(
    ({ state, regexp, line }) => state === 'absent' || regexp === undefined || !isRegexp(regexp) || matches(regexp, line ?? ''),
    '"regexp" must match "line" too: otherwise the next run would not find the line that this one wrote',
  )
  .refine((want) => want.insert_after === undefined || want.insert_before === undefined, 'one of "insert_after" and "insert_before"')
  .refine(
    (want) => want.state === 'present' || (want.insert_after ?? want.insert_before) === undefined,
    '"insert_after" and "insert_before" go with "state: present" only',
  );

type Want = z.infer<typeof params>;

export default defineTask<Want, SeenFile>({
  summary: 'One line of a text file: there as wanted, or not there. Every other byte of the file stays as it is.',
  params,
  touches: (want) => [`file:${want.path}`],
  probe: (want) => fileProbe(want.path),
  parse: (output) => parseFile(output),
  plan: (seen, want, context) => (seen.type === 'missing' && want.state === 'absent' ? [] : edit(seen, want, context)),
  settled: ({ path, line, regexp: wanted, state }) =>
    state === 'present'
      ? `${path} has the line "${line}"`
      : `${path} has no line ${wanted === undefined ? `"${line}"` : `that matches ${wanted}`}`,
  example: {
    path: '/etc/ssh/sshd_config',
    regexp: '^#?PermitRootLogin ',
    line: 'PermitRootLogin prohibit-password',
    state: 'present',
    create: false,
    validate: '/usr/sbin/sshd -t -f %s',
  },
});

function isRegexp(value: string): boolean {
  try {
    return new RegExp(value, 's') instanceof RegExp;
  } catch {
    return false;
  }
}

/** Anywhere in the line, as Ansible does it. */
function matches(pattern: string, line: string): boolean {
  return new RegExp(pattern, 's').test(line);
}

function edit(seen: SeenFile, want: Want, context: PlanContext): readonly Change[] {
  const content = editableText(seen, want.path, want.create);
  const found = content === '' ? [] : content.replace(/\n$/, '').split('\n');
  const edits = want.state === 'absent' ? removals(found, want, context) : placement(found, want, context);
  const title = want.state === 'absent' ? `take ${count(edits.length)} out of ${want.path}` : titleOf(edits, want);
  return editChange(seen, { path: want.path, edits, title, validate: validateWith(want.validate) });
}

function count(lines: number): string {
  return lines === 1 ? 'a line' : `${lines} lines`;
}

function titleOf([first]: readonly LineEdit[], { path, line = '' }: Want): string {
  const short = line.length > 60 ? `${line.slice(0, 59)}…` : line;
  return `${first?.kind === 'replace' ? 'replace a line' : 'put a line'} in ${path}: ${short}`;
}

/** A line of a file with the line ends of Windows keeps its own. */
function bare(found: string): string {
  return found.replace(/\r$/, '');
}

function removals(found: readonly string[], want: Want, { same }: PlanContext): readonly LineEdit[] {
  const goes = (each: string) =>
    want.regexp === undefined
      ? same(bare(each), want.line ?? '')
      : matches(want.regexp, bare(each)) || (want.line !== undefined && same(bare(each), want.line));
  return [...new Set(found.filter(goes))].map((old) => ({ kind: 'remove', old: old }));
}

function placement(found: readonly string[], want: Want, { same }: PlanContext): readonly LineEdit[] {
  const { line = '', regexp: wanted } = want;
  const old = wanted === undefined ? undefined : found.findLast((each) => matches(wanted, bare(each)));
  if (old !== undefined) return same(bare(old), line) ? [] : [{ kind: 'replace', old: old, by: withEnd(line, old) }];
  if (found.some((each) => same(bare(each), line))) return [];
  return [{ kind: 'insert', line: withEnd(line, found.at(-1) ?? ''), at: place(found, want) }];
}

function place(found: readonly string[], want: Want): Extract<LineEdit, { kind: 'insert' }>['at'] {
  const { insert_after: after, insert_before: before } = want;
  if (before === 'BOF') return 'start';
  const pattern = after === 'EOF' ? undefined : (after ?? before);
  const anchor = pattern === undefined ? undefined : found.findLast((each) => matches(pattern, bare(each)));
  if (anchor === undefined) return 'end';
  return after === undefined ? { before: anchor } : { after: anchor };
}

function withEnd(line: string, like: string): string {
  return like.endsWith('\r') ? `${line}\r` : line;
}
