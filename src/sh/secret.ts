/**
 * A secret travels through inventory, templates and plans as a slot: a string that names it. Only what is sent to a host is
 * resolved; every view, file and log masks. The marks are private-use characters, which no configuration file contains.
 */
import { EXIT, LvsError } from '../errors.ts';

const slotPattern = /\uE000secret ([\w.-]+)\uE001/g;

/** What may name a secret: it becomes a word of a command, and a part of a variable's name. */
export const secretName = /^[A-Za-z][\w.-]{0,63}$/;

/** The string that stands for secret `name` until it is sent. */
export function secretSlot(name: string): string {
  return `\uE000secret ${name}\uE001`;
}

/** What people see instead of the slot: `[secret vrrp]`. */
export function mask(text: string): string {
  return text.replace(slotPattern, '[secret $1]');
}

/**
 * Masks an old text by the slots of the new one, so that a former value of the secret is hidden too: where a line of `will` holds
 * a slot, the matching place of a line of `was` becomes `[old secret NAME]`.
 */
export function maskBySlots(was: string, will: string): string {
  const patterns = will
    .split('\n')
    .filter((line) => line.includes('\uE000'))
    .map(toPattern);
  const hide = (line: string): string => {
    for (const { pattern, names } of patterns) {
      const found = pattern.exec(line);
      if (found)
        return found
          .slice(1)
          .map((piece, index) => (index % 2 === 0 ? piece : `[old secret ${names[(index - 1) / 2]}]`))
          .join('');
    }
    return line;
  };
  return mask(was.split('\n').map(hide).join('\n'));
}

function toPattern(line: string): { readonly pattern: RegExp; readonly names: readonly string[] } {
  const pieces = line.split(slotPattern);
  const names = pieces.filter((_, index) => index % 2 === 1);
  const literals = pieces.filter((_, index) => index % 2 === 0);
  const escaped = literals.map((literal, index) => {
    const exact = literal
      .split(/\s+/)
      .map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('\\s*');
    // Quotes that we write around a value may not have been there before.
    const behind = index > 0 ? exact.replace(/^["']/, '["\']?') : exact;
    return index < names.length ? behind.replace(/["']$/, '["\']?') : behind;
  });
  return { pattern: new RegExp(`^(${escaped.join(')(.+?)(')})$`), names };
}

/** Names of the secrets whose slots stand anywhere in plain data. */
export function secretsIn(value: unknown, seen: Set<unknown> = new Set()): ReadonlySet<string> {
  if (typeof value === 'string') return new Set([...value.matchAll(slotPattern)].map(([, name]) => name ?? ''));
  if (value === null || typeof value !== 'object' || seen.has(value)) return new Set();
  seen.add(value);
  return new Set(Object.values(value).flatMap((inner) => [...secretsIn(inner, seen)]));
}

/** Holds the values. It never prints them: not by `toString`, JSON or inspection. */
export class Secrets {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string> = new Map()) {
    this.#values = values;
  }

  /** Slots become values: for what is sent to a host, and for comparing with what a host has. */
  resolve(text: string): string {
    return text.replace(slotPattern, (_, name: string) => {
      const value = this.#values.get(name);
      if (value === undefined) {
        throw new LvsError(`secret "${name}" has no value`, {
          code: 'secret.missing',
          exitCode: EXIT.badInput,
          hint: `set the environment variable ${secretVariable(name)}`,
        });
      }
      return value;
    });
  }

  /**
   * Values become slots again: for whatever a host says, before anybody sees it or uses it. Values of fewer than four characters are left:
   * they would be found in every second word.
   */
  conceal(text: string): string {
    const longestFirst = [...this.#values].filter(([, value]) => value.length >= 4).sort(([, a], [, b]) => b.length - a.length);
    return longestFirst.reduce((said, [name, value]) => said.replaceAll(value, secretSlot(name)), text);
  }

  toJSON(): string {
    return '[secrets]';
  }
}

/** The environment variable that gives secret `name`: `LVSCTL_SECRET_VRRP`. */
export function secretVariable(name: string): string {
  return `LVSCTL_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}
