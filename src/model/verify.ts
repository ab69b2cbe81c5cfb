/** What checks have found. */
import type { Role } from './inventory.ts';

export type FindingStatus = 'pass' | 'fail' | 'not-run';

/** One sentence of a check about one host. */
export interface Finding {
  readonly status: FindingStatus;
  readonly host: string;
  readonly found: string;
  readonly expected: string;
  /** The likely fix; empty when it passed. */
  readonly fix: string;
  /** From whose point of view, where a check has several; otherwise the first that its definition names. */
  readonly from?: Role;
}

export interface CheckResult extends Finding {
  readonly id: string;
  readonly name: string;
  readonly from: Role;
}
