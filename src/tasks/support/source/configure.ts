/** The words that any `configure` is given, and how the built program tells them again. */
import { absolutePath } from '../params.ts';

/** Where a built program goes; makefiles and nginx.conf know no quoting that would carry other characters. */
export const installPrefix = absolutePath
  .refine((path) => /^[A-Za-z0-9_./+-]+$/.test(path), 'a path of letters, digits, "_", ".", "+" and "-"')
  .refine((path) => path.split('/').length > 2, 'a folder of its own, such as /usr/local/nginx');

/** Splits the arguments that a program prints of its build (`nginx -V`, `keepalived -v`): words, with quotes around values with blanks. */
export function splitArguments(text: string): readonly string[] {
  const words = text.match(/(?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*")+/g) ?? [];
  return words.map((word) =>
    word.replace(/'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])/g, (_, single?: string, double?: string, escaped?: string) =>
      double === undefined ? (single ?? escaped ?? '') : double.replace(/\\([\s\S])/g, '$1'),
    ),
  );
}

/** True when both name the same set of flags, in whatever order. */
export function sameFlags(one: readonly string[], other: readonly string[]): boolean {
  const [first, second] = [new Set(one), new Set(other)];
  return first.size === second.size && [...first].every((flag) => second.has(flag));
}
