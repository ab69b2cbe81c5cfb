/** All that the author of a task or a check imports (plus zod). */
import type { z } from 'zod';
import type { Change, Facts, Finding, Fleet, Handler, Host, Output, Role } from './model.ts';
import type { Sh } from './sh/sh.ts';

export { refuse } from './errors.ts';
export type { Artefact, Blob, Change, Facts, Finding, Handler, Host, Output, Risk } from './model.ts';
export { lines, quote, type Sh, sh } from './sh/sh.ts';

/** What a plan may look at beside the probe's answer. */
export interface PlanContext {
  readonly facts: Facts;
  readonly host: Host;
  readonly fleet: Fleet;
  /** True when text seen on a host is the wanted text, secrets included. Use it wherever `want` may hold a secret slot. */
  readonly same: (seen: string, want: string) => boolean;
  /**
   * The step stands in the rescue or always of a block whose body changes something first: what was seen may be otherwise by then. A task
   * whose change asks by itself (`unless`) whether it is needed plans it then in any case.
   */
  readonly later?: boolean;
  /** Somebody has said that what others have configured on these hosts may be replaced. */
  readonly takeOver?: boolean;
}

/**
 * A task is a description, not a procedure. One file in src/tasks/ is one word in a playbook.
 *
 * `Want` is the checked parameters, `Seen` what `parse` made of the probe's output.
 */
export interface TaskDefinition<Want, Seen> {
  /** One sentence, for the reference page. */
  readonly summary: string;
  /** Every field carries `.describe()`. `z.strictObject`. */
  readonly params: z.ZodType<Want>;
  /** What this step changes, as `kind:name`: `sysctl:net.ipv4.ip_forward`, `package:nginx`, `file:/etc/hosts`, `service:nginx`. */
  readonly touches: (want: Want) => readonly string[];
  /**
   * For kinds of `touches` that lvsctl does not know how to keep: shell that is kept on the host with the record, each in a process of its
   * own, in a root-only folder that is its own. `record` runs before the first change and leaves there what the others need; `differs`
   * exits 0 when things are not as they were; `restore` makes them so, or says in a line why it cannot and fails. No secrets.
   */
  readonly before?: (want: Want) => readonly Before[];
  /** What must be there first, in the same words. */
  readonly needs?: (want: Want) => readonly string[];
  /** Read-only, distribution-neutral POSIX sh that runs under dash, bash, BusyBox ash and mksh; run by root, exit code free. */
  readonly probe: (want: Want) => Sh;
  /** Pure. Must survive any output: a host's words are data. */
  readonly parse: (output: Output, want: Want) => Seen;
  /** Pure. Empty when the host is as wanted; throws `refuse(…)` for what must not be done. */
  readonly plan: (seen: Seen, want: Want, context: PlanContext) => readonly Change[];
  /** The sentence that is said when nothing is to be done: "nginx 1.26.3 with these 14 flags is already built". */
  readonly settled: (want: Want, seen: Seen) => string;
  /** What `register`, `until` and later conditions may see of it, beside `changed` and `skipped`. Pure. */
  readonly registers?: (seen: Seen, want: Want) => Readonly<Record<string, unknown>>;
  /** What only a reboot can finish; not a change. */
  readonly pendingReboot?: (seen: Seen, want: Want) => readonly string[];
  /** Handlers that come with the task, named `task.verb`; notify them from a change. They may depend on parameters. */
  readonly handlers?: (want: Want) => Readonly<Record<string, Handler>>;
  /** What stays although it should go, and why: said at the end, and the run has failed then. */
  readonly stays?: (seen: Seen, want: Want) => readonly string[];
  /** The word under `handlers:` of a play. Absent: it cannot be a handler. */
  readonly asHandler?: HandlerForm;
  /** A valid example of the parameters, used by the reference page and by the contract tests. */
  readonly example: Want;
}

/** How a thing was, and the way back to it. */
export interface Before {
  /** `firewall:rules` */
  readonly resource: string;
  readonly record: Sh;
  readonly differs: Sh;
  readonly restore: Sh;
}

/** A word as a handler: what it does each time that it was notified. */
export interface HandlerForm {
  readonly params: z.ZodType;
  // biome-ignore lint/suspicious/noExplicitAny: what the schema above has checked
  readonly make: (want: any) => Handler;
}

// biome-ignore lint/suspicious/noExplicitAny: the registry holds tasks of every parameter type; each is checked by its own schema
export type AnyTask = TaskDefinition<any, any>;

/** Returns the definition as it is; it exists so that types are inferred. */
export function defineTask<Want, Seen>(definition: TaskDefinition<Want, Seen>): TaskDefinition<Want, Seen> {
  return definition;
}

/** What one host answered to a check's probe. */
export interface Look {
  readonly host: Host;
  readonly output: Output;
}

/** What a check may know beside what was looked at. */
export interface CheckContext {
  readonly fleet: Fleet;
  /** Facts of every host that was reached, by name. */
  readonly facts: Readonly<Record<string, Facts>>;
}

/**
 * A check looks at the cluster from one or more vantage points and says what it found. One file in src/checks/ is one word in a
 * verify list. All probes of one host go into one script, whichever checks they belong to.
 */
export interface CheckDefinition<Want> {
  readonly summary: string;
  readonly params: z.ZodType<Want>;
  /** From whose point of view; the probe runs on every reached host of these roles. */
  readonly from: readonly Role[];
  /** Read-only but for what undoes itself. `undefined`: nothing to look at on this host. */
  readonly probe: (want: Want, host: Host, fleet: Fleet) => Sh | undefined;
  /** Pure. One finding per host and fact, passes included; what could not be looked at is `not-run`, never passed. */
  readonly expect: (looks: readonly Look[], want: Want, context: CheckContext) => readonly Finding[];
  readonly example: Want;
}

// biome-ignore lint/suspicious/noExplicitAny: as AnyTask
export type AnyCheck = CheckDefinition<any>;

export function defineCheck<Want>(definition: CheckDefinition<Want>): CheckDefinition<Want> {
  return definition;
}
