/** Who owns the VIPs in turn: VRRP instances, and what keepalived does when they change hands. */

/** An address that moves from director to director. */
export interface VirtualAddress {
  readonly address: string;
  /** 32 or 128 but for the gateway of NAT real servers, which has the prefix of its segment. */
  readonly prefix: number;
  /** Interface that carries it. */
  readonly interface: string;
}

/** A VRRP instance: the group of directors that own some VIPs in turn. */
export interface VrrpInstance {
  readonly instance: string;
  /** virtual_router_id, 1 to 255. */
  readonly id: number;
  readonly family: 'ipv4' | 'ipv6';
  /** VRRPv2 has a password and whole seconds; IPv6 and fractions of a second want VRRPv3. */
  readonly version: 2 | 3;
  /** Carries the adverts. */
  readonly interface: string;
  /** Carries the VIPs. */
  readonly vipInterface: string;
  readonly mode: 'backup-nopreempt' | 'master-backup';
  /** Seconds that a returning master waits before it takes the VIPs back; master-backup only. */
  readonly preemptDelay?: number;
  /** Seconds between adverts. */
  readonly advert: number;
  /** At most 8 characters, usually a secret slot; absent: no authentication. */
  readonly authPass?: string;
  /** Adverts go to the other directors one by one, instead of to the multicast group. */
  readonly unicast: boolean;
  /** The first is named in the adverts; the others move with it (virtual_ipaddress_excluded). Never empty. */
  readonly addresses: readonly VirtualAddress[];
  /** Interfaces whose loss is a fault, beside `interface`. */
  readonly trackInterfaces: readonly string[];
  /** Names of processes whose end is a fault. */
  readonly trackProcesses: readonly string[];
  /** Names of `Vrrp.scripts` whose failure is a fault. */
  readonly trackScripts: readonly string[];
}

/** A command that keepalived repeats; its failure is a fault of the instances that track it. */
export interface TrackScript {
  readonly name: string;
  /** Path on the control machine, shipped to the directors. */
  readonly file: string;
  readonly arguments: readonly string[];
  /** Seconds. */
  readonly interval: number;
  readonly timeout: number;
  readonly rise: number;
  readonly fall: number;
}

/** Mail on every change of state. */
export interface Mail {
  readonly to: readonly string[];
  readonly from: string;
  /** `ADDRESS` or `ADDRESS:PORT`. */
  readonly server: string;
  /** Seconds. */
  readonly timeout: number;
}

export interface Vrrp {
  /** Never empty. */
  readonly instances: readonly VrrpInstance[];
  /** Instances that change hands together. */
  readonly syncGroups: readonly { readonly name: string; readonly instances: readonly string[] }[];
  readonly scripts: readonly TrackScript[];
  /** Path on the control machine of a script that is called on every change of state, as keepalived's `notify`. */
  readonly notify?: string;
  readonly mail?: Mail;
  /** Path on the control machine of a script that runs on a director that becomes master while another host answers for the VIP; its log says so too. */
  readonly alarm?: string;
}
