/** A file of text that somebody has written: its text, or in one sentence why there is none. */
import { readFileSync } from 'node:fs';
import { EXIT, LvsError } from '../../errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'this is a directory',
  EACCES: 'this user may not read it',
};

/** Throws what the file system says, and LvsError `text.encoding` (exit 4) with the place of the first byte that is not UTF-8. */
export function readUtf8(file: string): string {
  const bytes = readFileSync(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new LvsError('this file is not in UTF-8', {
      code: 'text.encoding',
      exitCode: EXIT.badInput,
      where: { file, ...placeOfFault(bytes) },
      hint: 'save it as UTF-8, or convert it: iconv -f latin1 -t utf-8',
    });
  }
}

/** What the file system has against reading a file, in words. */
export function whyUnreadable(error: unknown): string {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  return reasons[code] ?? `this file cannot be read: ${message}`;
}

/** Everything before it is whole: decoding as a stream ends there without a complaint. */
function placeOfFault(bytes: Buffer): { readonly line: number; readonly column: number } {
  let [whole, broken] = [0, bytes.length];
  while (broken - whole > 1) {
    const middle = (whole + broken) >> 1;
    if (isUtf8(bytes.subarray(0, middle))) whole = middle;
    else broken = middle;
  }
  const before = new TextDecoder().decode(bytes.subarray(0, whole)).replace(/\uFFFD$/, '');
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: before.length - start + 1 };
}

function isUtf8(start: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
    return true;
  } catch {
    return false;
  }
}
