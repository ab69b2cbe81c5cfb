import type { Share } from '../model.ts';

/** What the flags of the command line come to. */
export interface CommonFlags {
  readonly limit: string;
  readonly lab?: boolean;
  readonly acceptNew?: boolean;
  readonly askBecomePass?: boolean;
  readonly askPass?: boolean;
  /** Who logs in, and may only look: an account that "lvsctl sudoers" has a list for. */
  readonly reader?: string;
  /** Look again so often, and say what has become different: `5m`. */
  readonly observe?: string;
  readonly json?: boolean;
  /** File that the report is also written to, as JUnit XML. */
  readonly junit?: string;
  readonly color: boolean;
  readonly verbose: number;
  readonly timeout?: string;
  readonly playbook?: string;
  /** `-e`, each as it was typed. */
  readonly extraVars?: readonly string[];
  readonly tags?: readonly string[];
  readonly skipTags?: readonly string[];
  readonly diff?: boolean;
  readonly check?: boolean;
  readonly yes?: boolean;
  readonly forks: number;
  readonly serial?: Share;
  readonly maxFail?: Share;
  /** Replace what others have configured on the hosts. */
  readonly takeOver?: boolean;
  /** Name of the task that the run begins with. */
  readonly startAt?: string;
  /** Ask for every step whether it is to be done. */
  readonly step?: boolean;
  readonly listHosts?: boolean;
  readonly listTasks?: boolean;
}

/** `3` hosts or `30%` of them; undefined where it is neither. */
export function readShare(typed: string, least: 0 | 1): Share | undefined {
  const [, digits = '', percent] = /^(\d{1,6})(%?)$/.exec(typed.trim()) ?? [];
  const number = Number(digits);
  if (digits === '' || number < least || (percent && number > 100)) return undefined;
  return percent ? { percent: number } : { hosts: number };
}
