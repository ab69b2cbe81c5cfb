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

/** All that one probe script said of one host. */
export type Seen =
  | { readonly host: string; readonly reached: true; readonly facts: Facts; readonly outputs: Readonly<Record<string, Output>> }
  | { readonly host: string; readonly reached: false; readonly reason: string; readonly hint?: string };
