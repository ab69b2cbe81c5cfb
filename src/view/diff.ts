/** The difference that a change makes, as people read it: a unified diff without a header, secrets masked. */
import { styleText } from 'node:util';
import { structuredPatch } from 'diff';
import type { Change } from '../model.ts';
import { maskBySlots } from '../sh/former.ts';
import { mask } from '../sh/secret.ts';
import { printable } from './printable.ts';

/** Lines starting with `+`, `-`, a space or `@@`; nothing when text does not change (a restart, say). */
export function diffLines(change: Pick<Change, 'was' | 'will'>): readonly string[] {
  const was = printable(maskBySlots(change.was, change.will));
  const will = printable(mask(change.will));
  const { hunks } = structuredPatch('was', 'will', ended(was), ended(will), '', '', { context: 2 });
  const several = hunks.length > 1;
  return hunks.flatMap((hunk) => [
    ...(several ? [`@@ line ${hunk.oldStart}`] : []),
    ...hunk.lines.filter((line) => !line.startsWith('\\')),
  ]);
}

/** The same with red and green, where colour is wanted. */
export function colourDiff(line: string): string {
  if (line.startsWith('+')) return styleText('green', line);
  if (line.startsWith('-')) return styleText('red', line);
  return line.startsWith('@@') ? styleText('cyan', line) : styleText('dim', line);
}

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
