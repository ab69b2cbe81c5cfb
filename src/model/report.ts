/** How a whole run went, as scripts and people are shown it. */
import type { Role } from './inventory.ts';
import type { CheckResult } from './verify.ts';

export interface ChangeReport {
  readonly id: string;
  readonly title: string;
  /** Unified diff lines, secrets masked. */
  readonly diff: readonly string[];
  /** What runs on the host, secrets masked. */
  readonly script: string;
  readonly status: 'planned' | 'done' | 'already' | 'failed' | 'rescued' | 'not-run';
  /** The end of what it printed when it failed. */
  readonly output: string;
  readonly seconds: number;
}

export interface StepReport {
  readonly task: string;
  readonly name: string;
  readonly status: 'ok' | 'change' | 'changed' | 'failed' | 'rescued' | 'skipped' | 'standby' | 'later' | 'not-run';
  readonly why: string;
  readonly changes: readonly ChangeReport[];
  readonly pendingReboot: readonly string[];
  /** What stays although it should go, and why. */
  readonly stays: readonly string[];
}

export interface HostReport {
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  readonly status: 'ok' | 'change' | 'changed' | 'failed' | 'unreachable';
  readonly why: string;
  readonly changed: number;
  /** Channels that were opened to this host in the whole run. */
  readonly channels: number;
  readonly steps: readonly StepReport[];
}

export interface Summary {
  readonly hosts: number;
  readonly channels: number;
  readonly seconds: number;
  /** Steps that needed nothing. */
  readonly ok: number;
  /** Changes made; with `plan` and `--check`, changes that would be made. */
  readonly changed: number;
  readonly failed: number;
  readonly unreachable: number;
  readonly skipped: number;
  /** Steps that failed and were made good by the rescue of their block. */
  readonly rescued: number;
}

/** How a whole run went: the document that `--json` prints, and all that the terminal's summary is made of. */
export interface Report {
  readonly command: string;
  readonly ok: boolean;
  readonly exitCode: number;
  readonly runId: string;
  /** Something has been done on hosts, or was tried; otherwise changes are such as would be made. */
  readonly touched: boolean;
  readonly summary: Summary;
  /** One after another, those in which something is, or was, to be done, with the hosts concerned. */
  readonly batches: readonly { readonly name: string; readonly hosts: readonly string[] }[];
  readonly hosts: readonly HostReport[];
  readonly checks: readonly CheckResult[];
  /** Sentences about the run as a whole: batches that were not begun, changes that did not hold. */
  readonly notes: readonly string[];
}
