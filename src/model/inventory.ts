/** What the inventory says: hosts, virtual servers, the VRRP instance. */

export type Role = 'director' | 'backend' | 'client';

/** How a host is reached. Defaults come from ~/.ssh/config and the agent where a field is absent. */
export interface SshSettings {
  readonly user: string;
  readonly port: number;
  /** Path of a private key; absent: the agent, then the usual files in ~/.ssh. */
  readonly key?: string;
  /** Become root with sudo; absent when `user` is root. */
  readonly sudo?: boolean;
  /** Seconds to wait for a connection. */
  readonly timeout: number;
  /** The fields above that the user has said; the others hold defaults, which ~/.ssh/config may fill. Absent: all are said. */
  readonly said?: readonly string[];
}

/** A network interface as the inventory declares it; `address` in CIDR notation. */
export interface Nic {
  readonly name: string;
  readonly address: string;
}

export interface Host {
  readonly name: string;
  readonly role: Role;
  /** Where ssh goes. */
  readonly address: string;
  readonly ssh: SshSettings;
  /** Never empty; the first carries `address`. */
  readonly interfaces: readonly Nic[];
  readonly vars: Readonly<Record<string, unknown>>;
  /** Directors: VRRP priority, 1 to 254. */
  readonly priority?: number;
  /** Directors: the director's own address on the real servers' segment (DIP); `address` unless said. */
  readonly dip?: string;
  /** Backends: the real server's address (RIP); `address` unless said. */
  readonly rip?: string;
  /** Backends: weight in every virtual server that does not say otherwise. */
  readonly weight?: number;
  /** Clients: further addresses on the VIP's segment that checks may send from (persistence hides the spread from one address). */
  readonly sources?: readonly string[];
}

export type Forward = 'dr' | 'nat' | 'tun';
export type Scheduler = 'rr' | 'wrr' | 'lc' | 'wlc' | 'lblc' | 'lblcr' | 'dh' | 'sh' | 'sed' | 'nq' | 'fo' | 'ovf' | 'mh' | 'twos';

/** One real server of a virtual server. */
export interface RealServer {
  readonly host: string;
  readonly rip: string;
  readonly port: number;
  readonly weight: number;
}

/** Health check of the real servers; times in seconds. */
export interface HealthCheck {
  readonly kind: 'tcp' | 'http';
  readonly timeout: number;
  readonly retry: number;
  readonly delayBeforeRetry: number;
  readonly delayLoop: number;
  /** http only. */
  readonly path?: string;
  readonly hostHeader?: string;
  readonly status?: number;
}

/** A virtual server: what clients connect to, and the real servers behind it. */
export interface VirtualServer {
  readonly vip: string;
  readonly port: number;
  readonly protocol: 'tcp';
  readonly scheduler: Scheduler;
  readonly forward: Forward;
  /** Seconds that a client address sticks to a real server; absent: every connection is scheduled anew. */
  readonly persistence?: number;
  readonly check: HealthCheck;
  readonly realServers: readonly RealServer[];
  readonly sorryServer?: { readonly address: string; readonly port: number };
}

/** A VRRP instance: the group of directors that own the VIPs in turn. */
export interface Vrrp {
  readonly instance: string;
  /** virtual_router_id, 1 to 255. */
  readonly id: number;
  /** Carries the adverts. */
  readonly interface: string;
  /** Carries the VIPs. */
  readonly vipInterface: string;
  readonly mode: 'backup-nopreempt' | 'master-backup';
  /** Seconds between adverts. */
  readonly advert: number;
  /** At most 8 characters, usually a secret slot; absent: no authentication. */
  readonly authPass?: string;
}

export interface NginxSource {
  readonly version: string;
  readonly sha256: string;
  readonly url?: string;
  readonly file?: string;
  readonly configure: readonly string[];
  readonly prefix: string;
}

export interface Nginx {
  readonly source?: NginxSource;
  /** Which backend compiles: the first that needs it, each for itself, or a named host. */
  readonly buildOn: string;
  readonly user: string;
  readonly group: string;
  readonly port: number;
  /** Open files per worker, for the unit and the workers. */
  readonly nofile: number;
}

/** What the rehearsal machines have before lvsctl comes, so that they resemble the real ones. */
export interface LabSettings {
  /** Debian release of the lab's machines. */
  readonly release: 'bookworm' | 'trixie';
  /** Packages that the real hosts have already (`firewalld`, …). */
  readonly packages: readonly string[];
  /** Mode in which the machines boot with a policy loaded; absent: no SELinux. */
  readonly selinux?: 'permissive';
  /** Memory per machine, MiB. */
  readonly memory: number;
}

/** A whole inventory, checked: what the cluster should be. */
export interface Fleet {
  readonly cluster: string;
  /** Path of the inventory file, as the user gave it. */
  readonly file: string;
  readonly hosts: readonly Host[];
  /** Group name → names of its hosts; `all`, `directors`, `backends`, `clients` always. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly vrrp: Vrrp;
  readonly services: readonly VirtualServer[];
  /** Distinct VIPs of all services, in order. */
  readonly vips: readonly string[];
  readonly selinux: 'untouched' | 'enforcing' | 'permissive' | 'disabled';
  readonly firewall: 'untouched' | 'managed' | 'off';
  readonly nginx?: Nginx;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly lab: LabSettings;
}
