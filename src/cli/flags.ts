/** What the flags of the command line come to. */
export interface CommonFlags {
  readonly limit: string;
  readonly lab?: boolean;
  readonly acceptNew?: boolean;
  readonly askBecomePass?: boolean;
  readonly askPass?: boolean;
  readonly json?: boolean;
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
  readonly listHosts?: boolean;
  readonly listTasks?: boolean;
}
