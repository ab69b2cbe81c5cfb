/** What shows a run while it goes on: a live tree on a terminal, plain lines elsewhere, nothing with --json. */
import type { Event } from '../model.ts';

export interface Watch {
  readonly emit: (event: Event) => void;
  /** Ends the show; after it, the terminal is free for the summary. */
  close(): Promise<void>;
}

export const noWatch: Watch = { emit: () => {}, close: async () => {} };
