/** Decrypted text as names and values. Complaints say the line and nothing of what stands there. */
import { type Document, isMap, isScalar, LineCounter, type Pair, parseDocument } from 'yaml';
import { secretName } from '../sh/secret.ts';
import { complaint } from './complaint.ts';

export interface ValuesOptions {
  /** For complaints. */
  readonly file: string;
  /** Others use the file too: what is no text under a name that a secret can have is left to them. */
  readonly shared?: boolean;
}

/** Everything is text as it stands, `0123` and `yes` too: passwords are no numbers. Throws LvsError (exit 4). */
export function parseValues(text: string, { file, shared = false }: ValuesOptions): ReadonlyMap<string, string> {
  const lines = new LineCounter();
  const at = (offset = 0): string => `line ${lines.linePos(offset).line}`;
  const document = read(text, lines, file);
  const [error] = document.errors;
  if (error?.code === 'DUPLICATE_KEY') throw complaint('values', `${at(error.pos[0])} says a name for the second time`, file);
  if (error) throw complaint('values', `not valid YAML, at ${at(error.pos[0])}`, file, form);
  const { contents } = document;
  if (contents === null) return new Map();
  if (!isMap(contents)) throw complaint('values', 'no mapping of names to values', file, form);
  const pairs = contents.items.map((pair) => ({ ...pairOf(pair), where: at(offsetOf(pair)) }));
  const wrong = shared ? undefined : pairs.find(({ fault }) => fault !== undefined);
  if (wrong) throw complaint('values', `${wrong.where}: ${wrong.fault}`, file, form);
  return new Map(pairs.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])));
}

const form =
  'write NAME: VALUE on each line, a value that holds ": " or " #" in quotes; NAME is letters, digits, "_", "." and "-" after a letter';

function read(text: string, lineCounter: LineCounter, file: string): Document.Parsed {
  try {
    return parseDocument(text, {
      schema: 'failsafe',
      resolveKnownTags: false,
      stringKeys: true,
      prettyErrors: false,
      logLevel: 'error',
      lineCounter,
    });
  } catch (error) {
    // The parser's recursion ends with the stack.
    if (error instanceof RangeError) throw complaint('values', 'nested too deeply', file, form);
    throw error;
  }
}

interface Entry {
  readonly name: string;
  readonly value?: string;
  readonly fault?: string;
}

function pairOf({ key, value }: Pair): Entry {
  const name = isScalar(key) ? String(key.value) : '';
  if (!secretName.test(name)) return { name, fault: 'the name cannot be that of a secret' };
  // Ansible's `!unsafe` says that text is no template, which it never is here.
  if (!isScalar(value) || !['!unsafe', '!', undefined].includes(value.tag) || typeof value.value !== 'string')
    return { name, fault: 'the value is not plain text' };
  if (value.value === '') return { name, fault: 'the name has no value' };
  if (value.value.includes('\0')) return { name, fault: 'the value holds a NUL character' };
  return { name, value: value.value };
}

function offsetOf({ key }: Pair): number {
  return isScalar(key) ? (key.range?.[0] ?? 0) : 0;
}
