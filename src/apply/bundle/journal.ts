/** The journal that a host's runner writes, line by line, as values. */

export type Entry =
  /** The host begins to tell: from here on it also listens. */
  | { readonly kind: 'journal' }
  | { readonly kind: 'begin'; readonly job: number }
  | { readonly kind: 'progress'; readonly job: number; readonly done: number; readonly total: number; readonly unit: string }
  | { readonly kind: 'log'; readonly job: number; readonly text: string }
  | { readonly kind: 'end'; readonly job: number; readonly result: 'done' | 'already' | 'failed'; readonly exit: number }
  /** What was changed may have shut everybody out: somebody must come in over a new connection and say that it is well. */
  | { readonly kind: 'confirm'; readonly job: number }
  /** The runner is no more, and had not finished. */
  | { readonly kind: 'gone' }
  /** With the frames in which a step has failed: `top`, `0b`, … */
  | { readonly kind: 'finished'; readonly failed: readonly string[] };

/** What follows on other hosts is told these words: a host can say nothing else by them. */
function isFrame(word: string): boolean {
  return /^(top|\d{1,6}[bra])$/.test(word);
}

/** One line as an entry; `undefined` for anything that does not carry the run's nonce. */
export function parseEntry(line: string, nonce: string): Entry | undefined {
  if (!line.startsWith(`${nonce} `)) return undefined;
  const [kind, ...words] = line.slice(nonce.length + 1).split(' ');
  const job = Number(words[0]);
  switch (kind) {
    case 'begin':
    case 'confirm':
      return { kind, job };
    case 'progress':
      return { kind, job, done: Number(words[1]) || 0, total: Number(words[2]) || 0, unit: words.slice(3).join(' ') };
    case 'log':
      return { kind, job, text: words.slice(1).join(' ') };
    case 'end':
      return { kind, job, result: words[1] === 'done' || words[1] === 'already' ? words[1] : 'failed', exit: Number(words[2]) || 0 };
    case 'gone':
      return { kind };
    case 'finished':
      return { kind, failed: (words[0] ?? '').split(',').filter(isFrame) };
    default:
      return undefined;
  }
}
