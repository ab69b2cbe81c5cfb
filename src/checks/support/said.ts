/** How probes of checks speak: one `key rest-of-line` per line, closed by `end`, so that an answer cut short is never taken for a whole one. */
import { type Look, lines, type Sh, sh } from '../../task.ts';

/** What a probe said, by key. */
export interface Said {
  /** Every line of that key, in order, without the key. */
  readonly all: (key: string) => readonly string[];
  readonly first: (key: string) => string | undefined;
  /** Every line of those keys, in order, as key and rest. */
  readonly sequence: (keys: readonly string[]) => readonly (readonly [string, string])[];
}

/** The fragments as one probe that says `end` when it came to its end. */
export function telling(...fragments: readonly (Sh | false | undefined)[]): Sh {
  return lines(...fragments, sh`printf '\nend\n'`);
}

/** `undefined` when the probe did not come to its end. */
export function heard(look: Look): Said | undefined {
  const said = look.output.stdout.split('\n').filter((line) => line !== '');
  if (said.at(-1) !== 'end' || look.output.exit !== 0) return undefined;
  const pairs = said.map((line) => {
    const space = line.indexOf(' ');
    return space < 0 ? ([line, ''] as const) : ([line.slice(0, space), line.slice(space + 1)] as const);
  });
  return {
    all: (key) => pairs.filter(([name]) => name === key).map(([, rest]) => rest),
    first: (key) => pairs.find(([name]) => name === key)?.[1],
    sequence: (keys) => pairs.filter(([name]) => keys.includes(name)),
  };
}
