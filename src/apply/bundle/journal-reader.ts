/** Reads a journal as it comes over a line, and knows how much of it has come whole: there a broken line is taken up again. */
import type { Readable } from 'node:stream';
import { type Entry, parseEntry } from './journal.ts';

export interface JournalReader {
  /** Bytes of the journal that have come as whole lines. */
  readonly offset: number;
  /** The host has begun to tell: the run is laid out there, and started. */
  readonly begun: boolean;
  /** Entries of one stream, to its end. What comes before the journal begins (a greeting, a profile that talks) is passed over. */
  entries(stdout: Readable): AsyncGenerator<Entry>;
}

/** A line of a journal that is longer than this is no line of ours. */
const longest = 1 << 20;

export function newJournalReader(nonce: string): JournalReader {
  let offset = 0;
  let begun = false;
  return {
    get offset() {
      return offset;
    },
    get begun() {
      return begun;
    },
    async *entries(stdout) {
      let here = false;
      for await (const bytes of wholeLines(stdout)) {
        const line = bytes.toString('utf8').trimEnd();
        const entry = here ? parseEntry(line, nonce) : undefined;
        // The watch is no part of the journal.
        if (here && entry?.kind !== 'gone') offset += bytes.length;
        if (line === `${nonce} journal`) {
          here = true;
          begun = true;
          yield { kind: 'journal' };
        } else if (entry) yield entry;
      }
    },
  };
}

/** Lines with their newlines; what is left at the end without one is dropped. */
async function* wholeLines(stream: Readable): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.subarray(0, end + 1);
      rest = rest.subarray(end + 1);
    }
    if (rest.length > longest) rest = Buffer.alloc(0);
  }
}
