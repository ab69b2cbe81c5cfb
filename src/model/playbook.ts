/** What a playbook says, as it is written and as it is bound to hosts. */
import type { Where } from '../errors.ts';
import type { Sh } from '../sh/sh.ts';
import type { Facts } from './probe.ts';

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

/** What a change may do beside what it is for. */
export type Risk = 'restart' | 'lockout' | 'split';

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
  /** Of a rollback: where the host itself has kept it. */
  readonly kept?: string;
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
