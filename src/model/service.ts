/** What clients connect to: virtual servers of IPVS, and sites that nginx on the directors passes on. */

export type Forward = 'dr' | 'nat' | 'tun';
export type Protocol = 'tcp' | 'udp';
export type Scheduler = 'rr' | 'wrr' | 'lc' | 'wlc' | 'lblc' | 'lblcr' | 'dh' | 'sh' | 'sed' | 'nq' | 'fo' | 'ovf' | 'mh' | 'twos';

/** One real server of a virtual server. */
export interface RealServer {
  readonly host: string;
  readonly rip: string;
  readonly port: number;
  readonly weight: number;
  /** Connections above which it gets no new ones, and below which it gets some again. */
  readonly upperThreshold?: number;
  readonly lowerThreshold?: number;
}

/** Health check of the real servers; times in seconds. */
export interface HealthCheck {
  readonly kind: 'tcp' | 'http' | 'https' | 'misc' | 'dns' | 'udp' | 'ping';
  readonly timeout: number;
  readonly retry: number;
  readonly delayBeforeRetry: number;
  readonly delayLoop: number;
  /** Port that is asked, where it is not the real server's. */
  readonly port?: number;
  /** http and https only. */
  readonly path?: string;
  readonly hostHeader?: string;
  readonly status?: number;
  /** Regular expression (PCRE2) that the answer must match. */
  readonly regex?: string;
  /** https: name that is asked for in the handshake (SNI): `hostHeader`. */
  readonly sni?: boolean;
  /** misc: path on the control machine of the script, shipped to the directors, and its arguments; `{rip}` and `{port}` stand for the real server's. */
  readonly script?: string;
  readonly arguments?: readonly string[];
  /** dns: type and name of the question. */
  readonly type?: string;
  readonly name?: string;
  /** udp: hexadecimal bytes that are sent; whether an answer is expected. */
  readonly payload?: string;
  readonly requireReply?: boolean;
}

/** One service over several ports: packets to the VIP and these ports carry the mark, and the virtual server is the mark. */
export interface FirewallMark {
  /** 1 to 2147483647. */
  readonly mark: number;
  readonly ports: readonly { readonly port: number; readonly protocol: Protocol }[];
}

/** A virtual server: what clients connect to, and the real servers behind it. */
export interface VirtualServer {
  readonly vip: string;
  /** With a firewall mark the first of its ports. */
  readonly port: number;
  readonly protocol: Protocol;
  readonly fwmark?: FirewallMark;
  readonly scheduler: Scheduler;
  /** `sh-port`, `sh-fallback`, `mh-port`, `mh-fallback`. */
  readonly schedulerFlags: readonly string[];
  readonly forward: Forward;
  /** Seconds that a client address sticks to a real server; absent: every connection is scheduled anew. */
  readonly persistence?: number;
  /** Clients of one network stick together: a netmask for IPv4 (`255.255.255.0`), a prefix length for IPv6. */
  readonly persistenceGranularity?: string;
  /** UDP: each packet is scheduled by itself. */
  readonly onePacket: boolean;
  /** Weight of healthy real servers below which the sorry server answers. */
  readonly quorum: number;
  readonly hysteresis?: number;
  readonly check: HealthCheck;
  readonly realServers: readonly RealServer[];
  readonly sorryServer?: { readonly address: string; readonly port: number };
  /** Real servers pass packets for VIP and port on to this port of their own. */
  readonly redirect?: number;
}

/** A server of an upstream; `failTimeout` in seconds. */
export interface UpstreamServer {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly maxFails: number;
  readonly failTimeout: number;
  readonly backup: boolean;
}

/** Backends among which nginx on the directors chooses. */
export interface Upstream {
  readonly name: string;
  readonly method: 'round_robin' | 'least_conn' | 'ip_hash';
  readonly servers: readonly UpstreamServer[];
}

/** A site of nginx on the directors (layer 7); times in seconds. */
export interface ProxySite {
  readonly vip: string;
  readonly port: number;
  readonly serverName?: string;
  /** Name of the upstream that answers. */
  readonly upstream: string;
  /** The first whose regular expression the User-Agent matches, whatever the case, answers instead. */
  readonly byUserAgent: readonly { readonly match: string; readonly upstream: string }[];
  /** `200m`; absent: nginx's own. */
  readonly clientMaxBodySize?: string;
  readonly accessLog?: string;
  readonly connectTimeout: number;
  readonly sendTimeout: number;
  readonly readTimeout: number;
  /** `256k`; absent: nginx's own. */
  readonly bufferSize?: string;
  readonly buffers?: { readonly number: number; readonly size: string };
}

/** nginx on the directors, from the distribution's package. */
export interface ReverseProxy {
  readonly upstreams: readonly Upstream[];
  readonly sites: readonly ProxySite[];
}
