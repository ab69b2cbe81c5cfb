/**
 * Shell text whose values are quoted by construction. A fragment is plain data (it can be saved, compared and shown); it becomes
 * text only in `renderSh`, and secrets become values only when the text is about to be sent.
 */
import { refuse } from '../errors.ts';

/** `text` is the author's own shell; `value` is anybody's data and always ends up inside quotes. */
export type ShPart = { readonly text: string } | { readonly value: string };

export interface Sh {
  readonly parts: readonly ShPart[];
}

export type ShValue = string | number | Sh | readonly (string | number)[];

/**
 * Writes a fragment of POSIX shell. Every `${value}` becomes exactly one word, an array one word per element, another `Sh` stays
 * shell. Never put a value inside quotes of your own.
 *
 * @example sh`sysctl -n ${['net.ipv4.ip_forward']}`
 */
export function sh(strings: TemplateStringsArray, ...values: readonly ShValue[]): Sh {
  const parts: ShPart[] = [];
  strings.forEach((text, index) => {
    refuseHoles(strings, values, index);
    if (text !== '') parts.push({ text });
    const value = values[index];
    if (value !== undefined) parts.push(...toParts(value));
  });
  return { parts };
}

/** Types do not see it: an escape that JavaScript does not know makes all the text between two values `undefined`, and `renderSh` a word of it. */
function refuseHoles(strings: TemplateStringsArray, values: readonly unknown[], index: number): void {
  const raw = strings.raw[index] ?? '';
  if ((strings[index] as string | undefined) === undefined) {
    const pair = raw.match(/\\./gs)?.find((each) => /[0-9ux]/.test(each));
    throw refuse(`a fragment of shell has the escape ${pair}, which JavaScript does not know`, `write \\${pair}`);
  }
  const value = values[index];
  if (index < values.length && [value].flat().includes(undefined))
    throw refuse(`a fragment of shell has no value after ${JSON.stringify(raw.slice(-40))}`, "give it one; '' is an empty word");
}

/** Joins fragments with newlines; empty ones vanish. */
export function lines(...fragments: readonly (Sh | false | undefined)[]): Sh {
  const present = fragments.filter((fragment): fragment is Sh => !!fragment && fragment.parts.length > 0);
  return { parts: present.flatMap((fragment, index) => (index === 0 ? fragment.parts : [{ text: '\n' }, ...fragment.parts])) };
}

function toParts(value: ShValue): readonly ShPart[] {
  if (typeof value === 'string') return [{ value }];
  if (typeof value === 'number') return [{ value: String(value) }];
  if ('parts' in value) return value.parts;
  return value.flatMap((item, index) => (index === 0 ? [{ value: String(item) }] : [{ text: ' ' }, { value: String(item) }]));
}

/** The fragment as shell text. `resolve` maps each value to what is sent (secret slots to secrets) or shown (slots to their masks). */
export function renderSh(fragment: Sh, resolve: (value: string) => string): string {
  return fragment.parts.map((part) => ('text' in part ? part.text : quote(resolve(part.value)))).join('');
}

/** One word for any POSIX shell, whatever is in it. NUL cannot be passed to a shell at all and is dropped. */
export function quote(value: string): string {
  const clean = value.replaceAll('\0', '');
  return /^[A-Za-z0-9_./:@%+,-]+$/.test(clean) ? clean : `'${clean.replaceAll("'", `'\\''`)}'`;
}
