/** What one look at a host has found. */

/** What one fragment of a script did. Output is data: never evaluated, never a template. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

/** What a host is, found by the same script as every probe. */
export interface Facts {
  readonly hostname: string;
  /** `ID` of os-release: `debian`, `rocky`, … */
  readonly distribution: string;
  /** `VERSION_ID` of os-release: `12`, `9.4`. */
  readonly release: string;
  readonly codename: string;
  /** `uname -m`. */
  readonly architecture: string;
  readonly kernel: string;
  readonly packageManager: 'apt' | 'dnf' | 'none';
  readonly init: 'systemd' | 'other';
  /** As the kernel has it now; `disabled` also where there is none. */
  readonly selinux: 'enforcing' | 'permissive' | 'disabled';
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Interface name → MAC and addresses in CIDR notation. */
  readonly interfaces: Readonly<Record<string, { readonly mac: string; readonly addresses: readonly string[] }>>;
}

/** Who may change a host. */
export interface Lock {
  /** Id of the run. */
  readonly run: string;
  /** `root@control` */
  readonly who: string;
  readonly command: string;
  /** Seconds since its last sign of life. */
  readonly silent: number;
  /** Its line has ended, and it has not come back so far. */
  readonly left: boolean;
}

/** What still runs on a host, whoever began it. */
export interface Running {
  readonly id: string;
  readonly nonce: string;
  readonly titles: readonly string[];
}

/** What earlier runs have left on a host. */
export interface Traces {
  /** Id of the last run that touched the host since its boot; empty where none has. */
  readonly last: string;
  readonly lock?: Lock;
  readonly running: readonly Running[];
  /** lvsctl has changed the host before: how it was before that is kept there. */
  readonly known: boolean;
  /** Handlers that were notified, and have not run. */
  readonly pending: readonly string[];
  /** Somebody wants nothing to be changed here. */
  readonly frozen?: Frozen;
}

export interface Frozen {
  /** Seconds since 1970. */
  readonly until: number;
  /** `root@control`. */
  readonly who: string;
  readonly why: string;
}

/** All that one probe script said of one host. */
export type Seen =
  | {
      readonly host: string;
      readonly reached: true;
      readonly facts: Facts;
      /** Absent: none were looked for. */
      readonly traces?: Traces;
      readonly outputs: Readonly<Record<string, Output>>;
    }
  | { readonly host: string; readonly reached: false; readonly reason: string; readonly hint?: string };
