/** Former values of secrets in what a host has: nobody knows them, but the new text says where they stand. */
import { escaped, substitute } from './conceal.ts';
import { mask, slotPattern } from './secret.ts';

/**
 * Masks an old text by the slots of the new one, so that a former value of the secret is hidden too: where a line of `will` holds
 * a slot, the matching place of a line of `was` becomes `[old secret NAME]`, and so does that value wherever else it stands in `was`.
 * What the new text says in clear is no secret.
 */
export function maskBySlots(was: string, will: string): string {
  const kept = new Set(will.split('\n'));
  const patterns = [...kept].filter((line) => line.includes('\uE000')).map(toPattern);
  const lines = was.split('\n').map((line): readonly Piece[] => (kept.has(line) ? [{ text: line }] : piecesOf(line, patterns)));
  const formers = lines.flat().filter(({ name, text }) => name !== undefined && text.length >= 4 && !will.includes(text));
  const table = new Map(formers.map(({ text, name = '' }) => [text, old(name)]));
  const shown = ({ text, name }: Piece): string => (name === undefined ? substitute(text, table) : old(name));
  return mask(lines.map((pieces) => pieces.map(shown).join('')).join('\n'));
}

/** Of a line; with the name of the secret whose former value it is. */
interface Piece {
  readonly text: string;
  readonly name?: string;
}

interface Pattern {
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

function old(name: string): string {
  return `[old secret ${name}]`;
}

function piecesOf(line: string, patterns: readonly Pattern[]): readonly Piece[] {
  for (const { pattern, names } of patterns) {
    const found = pattern.exec(line);
    if (!found) continue;
    return found.slice(1).map((text, index): Piece => {
      const name = names[(index - 1) / 2];
      // A present value has been made a slot already.
      return name === undefined || /^["']?\uE000[^\uE000\uE001]*\uE001["']?$/.test(text) ? { text } : { text, name };
    });
  }
  return [{ text: line }];
}

function toPattern(line: string): Pattern {
  const pieces = line.split(slotPattern);
  const names = pieces.filter((_, index) => index % 2 === 1);
  const literals = pieces.filter((_, index) => index % 2 === 0);
  const texts = literals.map((literal, index) => {
    const exact = literal.split(/\s+/).map(escaped).join('\\s*');
    // Quotes that we write around a value may not have been there before.
    const behind = index > 0 ? exact.replace(/^["']/, '["\']?') : exact;
    return index < names.length ? behind.replace(/["']$/, '["\']?') : behind;
  });
  return { pattern: new RegExp(`^(${texts.join(')(.+?)(')})$`), names };
}
