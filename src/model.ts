/**
 * The readonly data that passes between the stages, in the order in which they use it:
 * inventory → playbook → probe → plan → apply → verify.
 */
import type { Where } from './errors.ts';
import type { Sh } from './sh/sh.ts';

// ---------------------------------------------------------------- inventory

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

// ----------------------------------------------------------------- playbook

/** A value of a playbook that may hold `<%= … %>`, and where it and everything inside it stands. */
export interface Template {
  readonly value: unknown;
  readonly place: (path?: readonly (string | number)[], atKey?: boolean) => Where;
}

/** One task of a playbook, before it is bound to hosts; what blocks and imports around it say is in it. */
export interface TaskEntry {
  readonly name: Template;
  readonly task: string;
  readonly params: Template;
  /** All must hold; the outermost first. */
  readonly when: readonly Template[];
  readonly tags: readonly string[];
  readonly notify: readonly Template[];
  /** Mappings of variables; the outermost first, the last word counts. */
  readonly vars: readonly Template[];
  /** The task is done once for each value of the list. */
  readonly loop?: Template;
  /** Later entries see what the task said as `registered.NAME`. */
  readonly register?: string;
  /** The look is repeated until this holds; begins a phase of its own. */
  readonly until?: Template;
  readonly tries?: Tries;
  /** On the first host of the play alone. */
  readonly runOnce: boolean;
  /** Name of the host on which it is done instead, on behalf of the play's host. */
  readonly delegateTo?: Template;
  /** Number of the part of the play, from 0; a barrier begins a new one. */
  readonly phase: number;
  /** The blocks with rescue or always around it, the outermost first. */
  readonly frames: readonly Frame[];
  readonly where: Where;
}

/** How often something that failed, or does not hold yet, is tried in all, and the seconds between two tries. */
export interface Tries {
  readonly tries: number;
  readonly delay: number;
}

/** A place in a block that has a rescue or an always. */
export interface Frame {
  /** Unique in the play. */
  readonly block: string;
  readonly name: string;
  readonly part: 'body' | 'rescue' | 'always';
  /** The block has a rescue: what fails in its body does not fail the host. */
  readonly rescued: boolean;
}

/** A handler of a play, before it is bound. */
export interface HandlerEntry {
  readonly name: string;
  readonly task: string;
  readonly params: Template;
  readonly when: readonly Template[];
  readonly vars: readonly Template[];
  /** Further names under which it is notified, with others or alone. */
  readonly listen: readonly string[];
  readonly where: Where;
}

/** An entry of a verify list, before it is bound. */
export interface CheckEntry {
  readonly name: string;
  readonly check: string;
  readonly params: Template;
  readonly when: readonly Template[];
  readonly vars: readonly Template[];
  readonly where: Where;
}

export interface Play {
  readonly name: string;
  readonly hosts: Template;
  /** Sizes of its batches, each a number of hosts or a share of them; the last one counts for all further batches. */
  readonly serial: readonly Share[];
  /** How many hosts may fail before the rollout stops; absent: none. */
  readonly maxFail?: Share;
  readonly tasks: readonly TaskEntry[];
  readonly handlers: readonly HandlerEntry[];
  readonly checks: readonly CheckEntry[];
  /** Checks that must pass for the hosts of a batch before the next one begins. */
  readonly gate: readonly CheckEntry[];
  readonly where: Where;
}

/** A number of hosts, or a percentage of the hosts of a play. */
export type Share = { readonly hosts: number } | { readonly percent: number };

export interface Playbook {
  readonly file: string;
  readonly plays: readonly Play[];
  /** Names of the secrets that it wants, each once. */
  readonly secretNames: readonly string[];
}

/** A handler bound to one host. */
export interface BoundHandler {
  readonly name: string;
  readonly listen: readonly string[];
  readonly handler: Handler;
  /** It comes with a task, and belongs where that task's change is made. */
  readonly own?: boolean;
  /** As of a step. */
  readonly when?: string;
  readonly vars?: StepVars;
}

/** What a condition that waits for facts may look at beside them. Names are unique over both. */
export interface StepVars {
  /** Data: never evaluated. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Written in the playbook: may hold `<%= … %>`, evaluated when used. */
  readonly made: Readonly<Record<string, unknown>>;
  /** Of a loop: the value, and its number from 0. */
  readonly loop?: Iteration;
}

/** One turn of a loop. */
export interface Iteration {
  readonly item: unknown;
  readonly index: number;
}

/** A task bound to one host: its parameters are checked values. */
export interface Step {
  /** Unique in the run on this host: `play.task`, in a loop `play.task.turn`, each counted from 0. */
  readonly id: string;
  readonly host: string;
  readonly play: number;
  readonly name: string;
  readonly task: string;
  readonly want: unknown;
  /** Condition that needs facts; evaluated by the plan. */
  readonly when?: string;
  /** There with `when` and `until`. */
  readonly vars?: StepVars;
  readonly tags?: readonly string[];
  readonly notify: readonly string[];
  readonly register?: string;
  readonly runOnce?: boolean;
  readonly until?: string;
  readonly tries?: Tries;
  /** The host that is looked at and changed, where it is not the step's own. */
  readonly on?: string;
  /** 0 unless a barrier stands before it. */
  readonly phase?: number;
  readonly frames?: readonly Frame[];
  /** Why its parameters cannot be known before its phase begins; `want` is absent then. */
  readonly waits?: string;
  readonly where: Where;
}

/** What a step has said, for conditions of later steps and for parameters after a barrier. */
export interface Registered {
  /** There was, or is, something to change. */
  readonly changed: boolean;
  /** Its condition did not hold. */
  readonly skipped: boolean;
  /** What the task itself offers: `stdout`, `exit`, … */
  readonly [name: string]: unknown;
}

/** What is known of the hosts of a run once they have been looked at, by host name. */
export interface Known {
  readonly facts: Readonly<Record<string, Facts>>;
  readonly registered: Readonly<Record<string, Readonly<Record<string, Registered>>>>;
}

// -------------------------------------------------------------------- probe

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
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Interface name → MAC and addresses in CIDR notation. */
  readonly interfaces: Readonly<Record<string, { readonly mac: string; readonly addresses: readonly string[] }>>;
}

/** All that one probe script said of one host. */
export type Seen =
  | { readonly host: string; readonly reached: true; readonly facts: Facts; readonly outputs: Readonly<Record<string, Output>> }
  | { readonly host: string; readonly reached: false; readonly reason: string; readonly hint?: string };

// --------------------------------------------------------------------- plan

/** A file of the control machine that a change needs on the host, named by its content. */
export interface Blob {
  readonly sha256: string;
  /** Shown to people: `nginx-1.26.3.tar.gz`. */
  readonly name: string;
  /** Where the control machine gets it, tried in order: a path, an http(s) URL, or `debian-source:NAME` for a Debian source package. */
  readonly from: readonly string[];
}

/** Something compiled once and shipped to every host of the same kind. */
export interface Artefact {
  /** Made of all its inputs: what, version, flags, distribution, release, architecture. Safe as a file name. */
  readonly key: string;
  readonly title: string;
  readonly sources: readonly Blob[];
  /** Makes the tar.gz `$LVSCTL_ARTEFACT`; sources lie in `$LVSCTL_BLOBS/SHA256`. Runs on the one host that builds. */
  readonly build: Sh;
  /** Seconds. */
  readonly timeout: number;
}

export type Risk = 'restart' | 'lockout' | 'split';

/** One thing that will be done on one host, with the script that does it. Plain data: shown, saved, hashed, run as shown. */
export interface Change {
  /** Unique in its step: `live:net.ipv4.conf.all.arp_ignore`. */
  readonly id: string;
  readonly title: string;
  /** Text before and after; they make the diff. May hold secret slots. */
  readonly was: string;
  readonly will: string;
  readonly run: Sh;
  /** Exits 0 when there is nothing left to do; asked again on the host just before `run`. */
  readonly unless?: Sh;
  /** Must exit 0 before `run` is allowed. */
  readonly validate?: Sh;
  /** Seconds; 60 unless said. */
  readonly timeout?: number;
  readonly notify?: readonly string[];
  readonly blobs?: readonly Blob[];
  /** Installed by `run` from `$LVSCTL_ARTEFACTS/KEY.tar.gz`. The plan picks who builds it. */
  readonly consumes?: Artefact;
  /** Set by the plan on the change that it adds for the host that builds. */
  readonly produces?: Artefact;
  /** `run` lets the host reboot a moment later: seconds until it must be back, with a new boot id. What comes after runs there then. */
  readonly reboots?: number;
  readonly risk?: Risk;
  /** With risk `split`: lays everything ready and checks it, on every host, before `run` puts it in force on all of them together. */
  readonly stage?: Sh;
  /** Takes away what other hosts may rely on: done after all that adds, in the opposite order of the plays. */
  readonly takesAway?: boolean;
}

/** What is done once at the end of a host's part, after changes that notify it. */
export interface Handler {
  readonly validate?: Sh;
  readonly run: Sh;
  /** Exits 0 when the process is already newer than what changed. */
  readonly unless?: Sh;
  readonly timeout?: number;
  /** As of a change. */
  readonly reboots?: number;
  readonly risk?: Risk;
}

/** `standby`: its changes are made only if the block that it rescues fails. `later`: known only when its phase begins. */
export type StepStatus = 'ok' | 'change' | 'skipped' | 'failed' | 'standby' | 'later';

export interface StepPlan {
  readonly step: Step;
  readonly status: StepStatus;
  /** Why there is nothing to do, or what stands in the way. */
  readonly why: string;
  readonly changes: readonly Change[];
  /** What only a reboot can finish. */
  readonly pendingReboot: readonly string[];
  /** There where the step has `register`. */
  readonly said?: Registered;
  /** False: `until` does not hold yet. */
  readonly holds?: boolean;
}

export interface HandlerPlan {
  readonly name: string;
  readonly handler: Handler;
  /** Where it runs, if not on the plan's host. */
  readonly on?: string;
}

export interface HostPlan {
  readonly host: string;
  readonly status: 'planned' | 'failed' | 'unreachable';
  readonly why: string;
  readonly steps: readonly StepPlan[];
  /** In the order of definition; only those that a planned change notifies. */
  readonly handlers: readonly HandlerPlan[];
}

/** Hosts that are worked on side by side; batches run one after another. */
export interface Batch {
  readonly name: string;
  /** Number of its play in the playbook. */
  readonly play: number;
  /** Part of the play; a later one than 0 is looked at and planned again when it begins. */
  readonly phase: number;
  readonly hosts: readonly HostPlan[];
  /** Hosts of the play that may fail in all. */
  readonly maxFail: number;
  /** It only takes away what other hosts may have relied on. */
  readonly removals?: boolean;
}

export interface Plan {
  readonly cluster: string;
  readonly batches: readonly Batch[];
}

// -------------------------------------------------------------------- apply

/** What happens while a plan runs; what the views draw. */
export type Event =
  | { readonly kind: 'host'; readonly host: string; readonly doing: string }
  | { readonly kind: 'begin'; readonly host: string; readonly title: string }
  | {
      readonly kind: 'progress';
      readonly host: string;
      readonly title: string;
      readonly done: number;
      readonly total: number;
      readonly unit: string;
    }
  | {
      readonly kind: 'end';
      readonly host: string;
      readonly title: string;
      readonly result: 'done' | 'already' | 'failed';
      readonly detail: string;
      readonly seconds: number;
    };

/** How one change or handler ended. */
export interface Outcome {
  readonly title: string;
  /** `rescued`: it failed, and the rescue of its block ran to its end. */
  readonly result: 'done' | 'already' | 'failed' | 'rescued' | 'not-run';
  readonly exit: number;
  /** The end of what it printed, bounded. */
  readonly output: string;
  readonly seconds: number;
}

// ------------------------------------------------------------------- verify

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

// ------------------------------------------------------------------- report

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
  readonly summary: Summary;
  /** One after another, those in which something is, or was, to be done, with the hosts concerned. */
  readonly batches: readonly { readonly name: string; readonly hosts: readonly string[] }[];
  readonly hosts: readonly HostReport[];
  readonly checks: readonly CheckResult[];
  /** Sentences about the run as a whole: batches that were not begun, changes that did not hold. */
  readonly notes: readonly string[];
}
