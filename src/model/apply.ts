/** What happens while a plan runs, and what became of it. */

/** What happens while a plan runs; what the views draw. */
export type Event =
  | { readonly kind: 'host'; readonly host: string; readonly doing: string }
  | { readonly kind: 'begin'; readonly host: string; readonly title: string }
  | {
      readonly kind: 'progress';
      readonly host: string;
      readonly title: string;
      readonly done: number;
      readonly total: number;
      readonly unit: string;
    }
  | {
      readonly kind: 'end';
      readonly host: string;
      readonly title: string;
      readonly result: 'done' | 'already' | 'failed';
      readonly detail: string;
      readonly seconds: number;
    };

/** How one change or handler ended. */
export interface Outcome {
  readonly title: string;
  /** `rescued`: it failed, and the rescue of its block ran to its end. */
  readonly result: 'done' | 'already' | 'failed' | 'rescued' | 'not-run';
  readonly exit: number;
  /** The end of what it printed, bounded. */
  readonly output: string;
  readonly seconds: number;
}
