/** What shows a run while it goes on: a live tree on a terminal, plain lines elsewhere, nothing with --json. */
import type { Event } from '../model.ts';
import { sayAside } from './say.ts';

export interface Watch {
  readonly emit: (event: Event) => void;
  /** Somebody has asked the run to stop; `line` says what that means. */
  readonly stops: (line: string) => void;
  /** Ends the show; after it, the terminal is free for the summary. */
  close(): Promise<void>;
}

export const noWatch: Watch = { emit: () => {}, stops: sayAside, close: async () => {} };
