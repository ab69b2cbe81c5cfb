import { EXIT, LvsError } from '../errors.ts';

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

/** A complaint about a value. */
export function fault(code: string, at: Path | number, found: string, hint: string): Complaint {
  return { code, at, found, hint };
}

/** A complaint about a key: that it is there, or how it is spelt. */
export function keyFault(code: string, at: Path, found: string, hint: string): Complaint {
  return { code, at, atKey: true, found, hint };
}

/** Where a complaint lies in the file. Lines and columns start at 1. */
export type Locate = (complaint: Pick<Complaint, 'at' | 'atKey'>) => { readonly line: number; readonly column: number };

/** All complaints (one at least) as one error, exit code 4, in the order of the file: the first is the error, the rest its `others`. */
export function toError(complaints: readonly Complaint[], file: string, locate: Locate): LvsError {
  const located = complaints.map((complaint) => ({ complaint, place: locate(complaint) }));
  located.sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  const [first, ...others] = located.map(({ complaint: { code, found, hint }, place }) => {
    const options = { code: `inventory.${code}`, exitCode: EXIT.badInput, where: { file, ...place }, hint };
    return { found, options, error: new LvsError(found, options) };
  });
  if (!first) throw new TypeError('toError needs a complaint');
  return new LvsError(first.found, { ...first.options, others: others.map(({ error }) => error) });
}

/** `services[0].vip`: a path as people write it. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${visible(shortened(part))}`))
    .join('');
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A value in few words, safe to print: no control characters, no secrets, no more than 60 characters. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (typeof value === 'object')
    return `${Object.keys(value).length === 0 ? 'an empty' : 'a'} ${Array.isArray(value) ? 'list' : 'mapping'}`;
  if (typeof value !== 'string') return `${value}`;
  const secret = /^\uE000secret ([\w.-]+)\uE001$/.exec(value)?.[1];
  if (secret !== undefined) return `the secret ${secret}`;
  return `"${visible(shortened(value))}"`;
}

// Control characters, and those that turn the reading direction or break lines: a complaint is one line on any terminal.
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** The text on one line, with what cannot be seen made visible. */
export function visible(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
