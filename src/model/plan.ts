/** What will be done: changes with their scripts, handlers, batches. */
import type { Sh } from '../sh/sh.ts';
import type { Handler, Registered, Risk, Step } from './playbook.ts';

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
  /** The host that builds, by name; absent: the first that needs it. */
  readonly on?: string;
}

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
  /** Set by the plan on a build that another host makes: where it is done, instead of the step's host. */
  readonly on?: string;
  /** `run` lets the host reboot a moment later: seconds until it must be back, with a new boot id. What comes after runs there then. */
  readonly reboots?: number;
  readonly risk?: Risk;
  /**
   * With risk `lockout`: puts back what `run` changes, whatever has become of it. The host runs it by itself after a minute, unless lvsctl
   * has come in over a new connection meanwhile; it must need nobody and nothing from outside.
   */
  readonly undo?: Sh;
  /** With risk `split`: lays everything ready and checks it, on every host, before `run` puts it in force on all of them together. */
  readonly stage?: Sh;
  /** Takes away what other hosts may rely on: done after all that adds, in the opposite order of the plays. */
  readonly takesAway?: boolean;
}

/** Something that a step changes, as `kind:name`. `own`: shell for a kind that lvsctl does not know how to keep; see `TaskDefinition.before`. */
export interface Touched {
  readonly resource: string;
  readonly own?: { readonly record: string; readonly differs: string; readonly restore: string };
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
  /** What will stay although it should go, and why. */
  readonly stays?: readonly string[];
  /** There where something is to be done: how these are is kept on the host first. */
  readonly touches?: readonly Touched[];
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
