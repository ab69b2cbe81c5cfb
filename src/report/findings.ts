/** All that a report is made from. */
import type { Applied } from '../apply/apply.ts';
import type { CheckResult, Fleet, Plan } from '../model.ts';
import type { Lines } from '../transport/reach.ts';

/** What the stages of a run came to. */
export interface Findings {
  readonly plan: Plan;
  readonly applied?: Applied;
  /** The plan made again after applying: must be empty. */
  readonly after?: Plan;
  readonly checks: readonly CheckResult[];
}

export interface ReportInput extends Findings {
  readonly command: string;
  /** The command line that goes on with the run. */
  readonly resume: string;
  readonly runId: string;
  readonly fleet: Fleet;
  readonly lines: Lines;
  /** What is to be said of other runs on these hosts. */
  readonly told: readonly string[];
  readonly seconds: number;
  /** Secret values to slots. */
  readonly conceal: (text: string) => string;
}
