import { EXIT, formatError, LvsError, type LvsErrorOptions } from '../errors.ts';

/** A place in the inventory by its keys and list positions: `['services', 0, 'vip']`. */
export type Path = readonly (string | number)[];

/** One thing that is wrong, before it has a line number. */
export interface Complaint {
  /** The last part of the error's code: `unknown-key`, `vip-in-use`. */
  readonly code: string;
  /** The value's path; for what is not even YAML the offset in the text, in characters. */
  readonly at: Path | number;
  /** Point at the key rather than at its value. */
  readonly atKey?: boolean;
  readonly found: string;
  /** What is allowed, the nearest spelling, what to do. */
  readonly hint: string;
}

/** The first complaint as the error itself, the others behind it, in the order of the file. */
export class InventoryErrors extends LvsError {
  readonly more: readonly LvsError[];

  constructor(message: string, options: LvsErrorOptions, more: readonly LvsError[]) {
    super(message, options);
    this.more = more;
  }
}

/** Every line that an error has to say: one, or one for each complaint about an inventory. */
export function errorLines(error: LvsError): readonly string[] {
  const all = error instanceof InventoryErrors ? [error, ...error.more] : [error];
  return all.map(formatError);
}

/** Where a complaint lies in the file. Lines and columns start at 1. */
export type Locate = (complaint: Pick<Complaint, 'at' | 'atKey'>) => { readonly line: number; readonly column: number };

/** All complaints as one error, exit code 4, sorted by line and column. */
export function toError(complaints: readonly Complaint[], file: string, locate: Locate): InventoryErrors {
  const located = complaints.map((complaint) => ({ complaint, place: locate(complaint) }));
  located.sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  const errors = located.map(({ complaint, place }) => {
    const where = { file, ...place };
    return new LvsError(complaint.found, { code: `inventory.${complaint.code}`, exitCode: EXIT.badInput, where, hint: complaint.hint });
  });
  const [first, ...more] = errors;
  if (!first) throw new TypeError('toError needs at least one complaint');
  return new InventoryErrors(first.message, first as LvsErrorOptions, more);
}

/** `services[0].vip`: a path as people write it. */
export function formatPath(path: Path): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${visible(part)}`)).join('');
}

/** A value in few words, safe to print: no control characters, no secrets, no more than 60 characters. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return `${value}`;
  const secret = /^\uE000secret ([\w.-]+)\uE001$/.exec(value)?.[1];
  if (secret !== undefined) return `the secret ${secret}`;
  return `"${visible(value)}"`;
}

// Control characters, and those that turn the reading direction or break lines: a complaint is one line on any terminal.
const unprintable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

function visible(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return short.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
