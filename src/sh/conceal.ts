/** Values of secrets become slots again in whatever a host says: whole ones, lines of a long one, and what a cut has left of one. */

/** Stands for the characters from `from` to `to` (not with it) of a secret, or for all of it. */
export type SlotOf = (name: string, from?: number, to?: number) => string;

/** A text that gives a secret, or a piece of one, away. */
interface Piece {
  readonly text: string;
  readonly name: string;
  readonly from: number;
  readonly whole: boolean;
}

/** Shorter ones would be found in every second word. */
const shortest = 4;

/** Of a piece of a secret. */
const shortestPiece = 8;

/** Says what kind of key or certificate follows, and stands in public ones too. */
const armour = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/;

/** The function puts slots in the place of the values, and of what it takes for a piece of one; slots that are there stay. */
export function concealer(values: ReadonlyMap<string, string>, slotOf: SlotOf): (text: string) => string {
  const pieces = [...values].flatMap(piecesOf).sort((one, other) => other.text.length - one.text.length);
  const slot = ({ name, from, whole, text }: Piece, start = 0, end = text.length): string =>
    whole && start === 0 && end === text.length ? slotOf(name) : slotOf(name, from + start, from + end);
  const table = new Map(pieces.toReversed().map((piece) => [piece.text, slot(piece)]));
  return (text) => substitute(withoutEnd(withoutBeginning(text, pieces, slot), pieces, slot), table);
}

/** Each text of the table that is found becomes what stands for it, in one go; of two at one place the longer. Slots stay as they are. */
export function substitute(text: string, table: ReadonlyMap<string, string>): string {
  const found = [...table.keys()].filter((each) => text.includes(each)).sort((one, other) => other.length - one.length);
  if (found.length === 0) return text;
  const pattern = new RegExp(['\uE000[^\uE000\uE001]*\uE001', ...found.map(escaped)].join('|'), 'g');
  return text.replace(pattern, (each) => table.get(each) ?? each);
}

/** As it stands in a regular expression. */
export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** A file may indent the lines of a key, end them in another way, or lack the last newline. */
function piecesOf([name, value]: readonly [string, string]): readonly Piece[] {
  if (value.length < shortest) return [];
  const lines = value.includes('\n') ? [...value.matchAll(/\S(?:.*\S)?/g)] : [];
  return [
    { text: value, name, from: 0, whole: true },
    ...lines
      .filter(([text]) => text !== value && text.length >= shortestPiece && !armour.test(text))
      .map(({ 0: text, index: from }) => ({ text, name, from, whole: false })),
  ];
}

type Slot = (piece: Piece, start?: number, end?: number) => string;

/** What was cut off before its beginning may have taken a part of a secret along. */
function withoutBeginning(text: string, pieces: readonly Piece[], slot: Slot): string {
  const first = text.slice(0, shortestPiece);
  if (first.length < shortestPiece) return text;
  for (const piece of pieces)
    for (let at = piece.text.indexOf(first, 1); at > 0; at = piece.text.indexOf(first, at + 1))
      if (text.startsWith(piece.text.slice(at))) return slot(piece, at) + text.slice(piece.text.length - at);
  return text;
}

/** And the same behind its end. */
function withoutEnd(text: string, pieces: readonly Piece[], slot: Slot): string {
  const last = text.slice(-shortestPiece);
  if (last.length < shortestPiece) return text;
  for (const piece of pieces)
    for (let at = piece.text.indexOf(last); at >= 0; at = piece.text.indexOf(last, at + 1)) {
      const end = at + shortestPiece;
      if (end < piece.text.length && text.endsWith(piece.text.slice(0, end))) return text.slice(0, -end) + slot(piece, 0, end);
    }
  return text;
}
