/**
 * A secret travels through inventory, templates and plans as a slot: a string that names it. Only what is sent to a host is
 * resolved; every view, file and log masks. The marks are private-use characters, which no configuration file contains.
 */
import { EXIT, LvsError } from '../errors.ts';
import { concealer } from './conceal.ts';

/** A slot may stand for a piece of its secret alone: the characters from one number up to another. */
export const slotPattern = /\uE000secret ([\w.-]+)(?: \d+-\d+)?\uE001/g;
const slotWithPiece = /\uE000secret ([\w.-]+)(?: (\d+)-(\d+))?\uE001/g;

/** What may name a secret: it becomes a word of a command, and a part of a variable's name. */
export const secretName = /^[A-Za-z][\w.-]{0,63}$/;

/** The string that stands for secret `name`, or for a piece of it, until it is sent. */
export function secretSlot(name: string, from?: number, to?: number): string {
  return from === undefined ? `\uE000secret ${name}\uE001` : `\uE000secret ${name} ${from}-${to}\uE001`;
}

/** What people see instead of the slot: `[secret vrrp]`. */
export function mask(text: string): string {
  return text.replace(slotPattern, '[secret $1]');
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
  readonly #conceal: (text: string) => string;

  constructor(values: ReadonlyMap<string, string> = new Map()) {
    this.#values = values;
    this.#conceal = concealer(values, secretSlot);
  }

  /** Slots become values: for what is sent to a host, and for comparing with what a host has. */
  resolve(text: string): string {
    return text.replace(slotWithPiece, (_, name: string, from?: string, to?: string) => {
      const value = this.#values.get(name);
      if (value === undefined) {
        throw new LvsError(`secret "${name}" has no value`, {
          code: 'secret.missing',
          exitCode: EXIT.badInput,
          hint: `set the environment variable ${secretVariable(name)}`,
        });
      }
      return from === undefined ? value : value.slice(Number(from), Number(to));
    });
  }

  /**
   * Values become slots again, and so do lines of a long one and what a cut has left of one: for whatever a host says, before anybody sees it
   * or uses it; `resolve` gives the same text back. Values of fewer than four characters are left: they would be found in every second word.
   */
  conceal(text: string): string {
    return this.#conceal(text);
  }

  toJSON(): string {
    return '[secrets]';
  }
}

/** The environment variable that gives secret `name`: `LVSCTL_SECRET_VRRP`. */
export function secretVariable(name: string): string {
  return `LVSCTL_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}
