/** glob(7) for paths. Patterns come from hosts, so matching takes at most pattern times text steps, and no pattern is an error. */

export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/** True when `pattern` matches the whole of `path`; no wildcard crosses a slash. */
export function matchesPattern(pattern: string, path: string): boolean {
  const patterns = pattern.split('/');
  const names = path.split('/');
  return patterns.length === names.length && patterns.every((each, index) => matchesName(tokens(each), [...(names[index] ?? '')]));
}

/** `*`, or what one character must fulfil. */
type Token = '*' | ((character: string) => boolean);

function tokens(pattern: string): readonly Token[] {
  const pieces = pattern.match(/\[[!^]?\]?[^\]]*\]|[\s\S]/gu) ?? [];
  return pieces.map((piece) => {
    if (piece === '*') return '*';
    if (piece === '?') return () => true;
    return piece.length > 1 && piece.startsWith('[') ? oneOf(piece.slice(1, -1)) : (character) => character === piece;
  });
}

function oneOf(set: string): (character: string) => boolean {
  const negated = /^[!^]/.test(set);
  const members = set.slice(negated ? 1 : 0).match(/[\s\S]-[\s\S]|[\s\S]/gu) ?? [];
  const includes = (character: string) =>
    members.some((member) => {
      const [from = '', , to = from] = [...member];
      return from <= character && character <= to;
    });
  return (character) => includes(character) !== negated;
}

/** The usual greedy walk: on a mismatch the last star takes one character more. */
function matchesName(pattern: readonly Token[], name: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  for (let index = 0; index < name.length; ) {
    const token = pattern[at];
    if (token === '*') {
      star = at++;
      retry = index;
    } else if (token?.(name[index] ?? '')) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++retry;
    } else return false;
  }
  return pattern.slice(at).every((token) => token === '*');
}
