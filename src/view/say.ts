/**
 * The way to the terminal of everything that people read. What a host, an inventory or a file has said is made safe where it is put into a
 * sentence; what has been overlooked there is made safe here. Documents for scripts go another way: in JSON nothing of it is obeyed.
 */
import { printable } from './printable.ts';

/** What `styleText` writes for the styles that we use: they colour, and can neither hide text nor move the cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const ourStyles = /(\u001b\[(?:[012]|22|3[1-6]|39)m)/;

/** The text with nothing in it that a terminal would obey, but for our colours. */
export function forTerminal(text: string): string {
  return text
    .split(ourStyles)
    .map((piece, index) => (index % 2 === 1 ? piece : printable(piece)))
    .join('');
}

/** A line, or several, on stdout. */
export function say(text: string): void {
  process.stdout.write(`${forTerminal(text)}\n`);
}

/** The same on stderr. */
export function sayAside(text: string): void {
  process.stderr.write(`${forTerminal(text)}\n`);
}
