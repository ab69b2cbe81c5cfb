/** Configuration as nested blocks in braces, as keepalived reads it. */

/** A line, a block, or nothing. */
export type Part = string | Block | false | undefined;

interface Block {
  readonly head: string;
  readonly body: readonly Part[];
}

export function block(head: string, body: readonly Part[]): Block {
  return { head, body };
}

/** Lines of the file, each level indented by four spaces; an empty one comes before each of `apart`. */
export function renderParts(parts: readonly Part[], apart: RegExp, depth = 0): readonly string[] {
  const indent = ' '.repeat(depth * 4);
  return parts.flatMap((part) => {
    if (part === undefined || part === false) return [];
    if (typeof part === 'string') return [`${indent}${part}`];
    const gap = apart.test(part.head) ? [''] : [];
    return [...gap, `${indent}${part.head} {`, ...renderParts(part.body, apart, depth + 1), `${indent}}`];
  });
}

/**
 * Text between double quotes. keepalived undoes `\\` and `\NNN` there; whatever else might be syntax to it or to a part of it that looks
 * at the line before (comments, parameters, conditions, braces, quotes) is written by its number.
 */
export function quoted(text: string): string {
  const number = (sign: string) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`;
  return `"${text.replace(/\\/g, '\\\\').replace(/[^A-Za-z0-9\\ ._,:;=/+*?()|^<>%&[\]-]/g, number)}"`;
}
