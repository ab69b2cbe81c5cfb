/** What the inventory says: hosts, what clients connect to, who owns the VIPs, what is installed. */
import type { ReverseProxy, VirtualServer } from './service.ts';
import type { VirtualAddress, Vrrp } from './vrrp.ts';

export type Role = 'director' | 'backend' | 'client';

/** How a host is reached. Defaults come from ~/.ssh/config and the agent where a field is absent. */
export interface SshSettings {
  readonly user: string;
  readonly port: number;
  /** Path of a private key; absent: the agent, then the usual files in ~/.ssh. */
  readonly key?: string;
  /** Become root with sudo; absent when `user` is root. */
  readonly sudo?: boolean;
  /** `user` may only look, with what src/sh/reader.ts describes; nothing else is a shell there. */
  readonly reader?: boolean;
  /** Seconds to wait for a connection. */
  readonly timeout: number;
  /** The fields above that the user has said; the others hold defaults, which ~/.ssh/config may fill. Absent: all are said. */
  readonly said?: readonly string[];
}

/** A network interface as the inventory declares it; addresses of either family in CIDR notation. */
export interface Nic {
  readonly name: string;
  /** Never empty; the first is the main one. */
  readonly addresses: readonly string[];
}

export interface Host {
  readonly name: string;
  readonly role: Role;
  /** Where ssh goes. */
  readonly address: string;
  readonly ssh: SshSettings;
  /** Never empty; the first carries `address`, as its first. */
  readonly interfaces: readonly Nic[];
  readonly vars: Readonly<Record<string, unknown>>;
  /** Directors: VRRP priority, 1 to 254, in every instance that `priorities` does not name. */
  readonly priority?: number;
  /** Directors: priority by the name of the instance, for all of them. */
  readonly priorities?: Readonly<Record<string, number>>;
  /** Directors: address that its adverts come from, by the name of the instance. */
  readonly heartbeats?: Readonly<Record<string, string>>;
  /** Directors: the director's own address on the real servers' segment (DIP); `address` unless said. */
  readonly dip?: string;
  /** Backends: the real server's address (RIP); `address` unless said. */
  readonly rip?: string;
  /** Backends: `rip` and the one of the other family, where there is one. */
  readonly rips?: readonly string[];
  /** Backends: weight in every virtual server that does not say otherwise. */
  readonly weight?: number;
  /** Clients: further addresses on the VIP's segment that checks may send from (persistence hides the spread from one address). */
  readonly sources?: readonly string[];
}

/** A program built from its source. */
export interface ProgramSource {
  readonly version: string;
  readonly sha256: string;
  readonly url?: string;
  readonly file?: string;
  readonly configure: readonly string[];
  readonly prefix: string;
}

/** A port that a web server of the backends answers on. */
export interface Listener {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  readonly tls: boolean;
}

/** A site told apart by its name, beside the page that every name gets. */
export interface NamedSite {
  readonly serverName: string;
  /** Path of its one page, and the body. */
  readonly path: string;
  readonly body: string;
}

/** nginx on the backends: from source, or the distribution's package where `source` is absent. */
export interface Nginx {
  readonly source?: ProgramSource;
  /** Which backend compiles: the first that needs it, each for itself, or a named host. */
  readonly buildOn: string;
  readonly user: string;
  readonly group: string;
  readonly listeners: readonly Listener[];
  readonly sites: readonly NamedSite[];
  /** Paths on the backends of the user's own certificate and key; absent: a self-signed one, where a listener wants TLS. */
  readonly certificate?: { readonly certificate: string; readonly key: string };
  /** Open files per worker, for the unit and the workers. */
  readonly nofile: number;
}

/** Apache of the distribution on the backends. */
export interface Apache {
  readonly listeners: readonly Listener[];
}

/** NAT: the directors' own address on the real servers' segment, by which the replies leave. */
export interface Nat {
  readonly gateway: VirtualAddress;
  /** Which packets of the real servers go by it: replies of the services alone, or all that leaves the segment. */
  readonly replies: 'services' | 'all';
}

/** Directors without keepalived: the rules and the VIP are set once, and kept over a reboot. */
export interface StaticDirectors {
  /** Carries the VIPs. */
  readonly interface: string;
  /** Seconds between checks of a unit that takes dead real servers out; absent: nothing looks. */
  readonly checkInterval?: number;
}

/** How the hosts are set up beside the services themselves. */
export interface System {
  /** Sysctl profiles for directors and backends. */
  readonly tuning: boolean;
  /** Each host is named as in the inventory. */
  readonly hostnames: boolean;
  /** Each host knows the others by name (/etc/hosts). */
  readonly hostsFile: boolean;
  /** Size of the directors' connection table, as a power of two. */
  readonly connTabBits?: number;
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
  /** Absent: static directors. */
  readonly vrrp?: Vrrp;
  /** There when `vrrp` is not. */
  readonly static?: StaticDirectors;
  /** Virtual servers of IPVS; empty where nginx on the directors does all. */
  readonly services: readonly VirtualServer[];
  /** nginx on the directors passes requests on (layer 7). */
  readonly proxy?: ReverseProxy;
  /** Distinct VIPs of all services and sites, in order. */
  readonly vips: readonly string[];
  /** Every address that a director holds for clients or real servers, and where. */
  readonly virtualAddresses: readonly VirtualAddress[];
  readonly nat?: Nat;
  /** The state of connections is copied to the other directors, on 8848/udp. */
  readonly sync: boolean;
  readonly selinux: 'untouched' | 'enforcing' | 'permissive' | 'disabled';
  readonly firewall: 'untouched' | 'managed' | 'off';
  readonly nginx?: Nginx;
  readonly apache?: Apache;
  readonly keepalivedSource?: ProgramSource;
  readonly ipvsadmSource?: ProgramSource;
  /** `offline`: packages are fetched once, with all they depend on, and shipped. */
  readonly packages: 'online' | 'offline';
  readonly system: System;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly lab: LabSettings;
}
