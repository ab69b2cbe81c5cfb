/** A playbook bound to an inventory: which host does which step with which checked parameters. No host has been asked anything yet. */
import { selectHosts } from '../inventory/select.ts';
import type { BoundHandler, CheckEntry, Fleet, Host, Known, Play, Playbook, Share, Step, TaskEntry } from '../model.ts';
import type { AnyCheck } from '../task.ts';
import { type Binding, bindTask } from './bind-task.ts';
import { complaint, located } from './complaint.ts';
import { handlersOf, rejectUnknownHandlers } from './handlers.ts';
import type { Registry } from './registry.ts';
import { withVars } from './scope.ts';
import { fromTask } from './start-at.ts';
import { isChosen, rejectUnknownTags } from './tags.ts';
import { checked, decide, filled, word } from './values.ts';

export interface BoundPlay {
  readonly name: string;
  /** Sizes of its batches; absent: all hosts side by side. */
  readonly serial?: readonly Share[];
  /** Absent: none may fail. */
  readonly maxFail?: Share;
  /** Checks that must pass for a batch before the next one begins. */
  readonly gate?: readonly BoundCheck[];
  /** Steps by host name, in order. */
  readonly steps: Readonly<Record<string, readonly Step[]>>;
  /** By host name: all that a step there may notify, in order. Absent: those that come with the steps' own tasks. */
  readonly handlers?: Readonly<Record<string, readonly BoundHandler[]>>;
  readonly checks: readonly BoundCheck[];
  /** By host name: what is registered by tasks whose condition does not hold there. */
  readonly skips?: Readonly<Record<string, readonly string[]>>;
}

/** A check with its checked parameters; it looks from every host of the roles that its definition names. */
export interface BoundCheck {
  /** Unique in the run: `play.check`, counted from 0. */
  readonly id: string;
  readonly entry: CheckEntry;
  readonly definition: AnyCheck;
  readonly want: unknown;
}

export interface BindOptions {
  /** A host pattern that narrows every play. */
  readonly limit?: string;
  /** Variables that win over all others. */
  readonly extraVars?: Readonly<Record<string, unknown>>;
  readonly tags?: readonly string[];
  readonly skipTags?: readonly string[];
  /** Name of the task with which the run begins; those before it are left out. */
  readonly startAt?: string;
  /** What looks have found so far; without it, steps behind a barrier that need it wait. */
  readonly known?: Known;
}

/** Binds every play. Throws LvsError (exit 4) located in the playbook. */
export function bindPlaybook(playbook: Playbook, fleet: Fleet, registry: Registry, options: BindOptions = {}): readonly BoundPlay[] {
  const limited = new Set(selectHosts(fleet, options.limit ?? 'all').map(({ name }) => name));
  const choice = { tags: options.tags ?? [], skipTags: options.skipTags ?? [] };
  rejectUnknownTags(playbook, choice);
  rejectSecondRegister(playbook);
  const extra = options.extraVars ?? {};
  const bound = playbook.plays.map((play, number) => {
    const binding = { fleet, registry, extra, registers: registeredBefore(playbook, number), known: options.known };
    const hosts = playHosts(play, fleet).filter(({ name }) => limited.has(name));
    // What is not chosen is bound too: a mistake is said whatever the tags, and its handlers may be notified.
    const all = hosts.map((host, index) => bindHost(play, number, host, binding, index === 0));
    const steps = all.map((one) => [one.host, one.steps.filter(({ tags }) => isChosen(tags ?? [], choice))] as const);
    const handlers = all.map((one) => [one.host, one.handlers] as const);
    const skips = Object.fromEntries(all.map((one) => [one.host, one.skips]));
    const { name, serial, maxFail } = play;
    const [checks, gate] = (['checks', 'gate'] as const).map((list) => bindChecks(play, number, list, binding));
    const lists = { checks: checks ?? [], gate: gate ?? [] };
    return {
      name,
      serial,
      ...(maxFail && { maxFail }),
      steps: Object.fromEntries(steps),
      handlers: Object.fromEntries(handlers),
      skips,
      ...lists,
    };
  });
  const { startAt, known, ...others } = options;
  if (startAt === undefined) return bound;
  return fromTask(bound, startAt, known ? bindPlaybook(playbook, fleet, registry, others) : bound);
}

interface BoundHost {
  readonly host: string;
  readonly steps: readonly Step[];
  readonly handlers: readonly BoundHandler[];
  readonly skips: readonly string[];
}

function bindHost(play: Play, number: number, host: Host, binding: Binding, first: boolean): BoundHost {
  const registers = (index: number): readonly string[] => [...binding.registers, ...registeredBy(play.tasks.slice(0, index))];
  const bound = play.tasks.map((entry, index) => {
    const steps = bindTask(entry, `${number}.${index}`, host, { ...binding, registers: registers(index) });
    return { entry, steps: entry.runOnce && !first ? [] : steps };
  });
  const steps = bound.flatMap((each) => each.steps);
  const handlers = handlersOf(play, host, steps, { ...binding, registers: registers(play.tasks.length) });
  for (const each of bound) rejectUnknownHandlers(each.entry, each.steps, [...handlers, ...play.handlers]);
  const skips = bound.flatMap(({ entry, steps: made }) => (made.length === 0 && !entry.runOnce ? (entry.register ?? []) : []));
  return { host: host.name, steps, handlers, skips };
}

/** What a task has said is found by its name: two tasks of one name would be taken for each other. */
function rejectSecondRegister({ plays }: Playbook): void {
  const seen = new Map<string, TaskEntry>();
  for (const entry of plays.flatMap(({ tasks }) => tasks)) {
    const first = entry.register === undefined ? undefined : seen.get(entry.register);
    if (first) {
      const where = `line ${first.where.line}${first.where.file === entry.where.file ? '' : ` of ${first.where.file}`}`;
      throw complaint(`"${entry.register}" is registered already, at ${where}`, entry.where, 'playbook.register', 'give it another name');
    }
    if (entry.register !== undefined) seen.set(entry.register, entry);
  }
}

function registeredBefore({ plays }: Playbook, number: number): readonly string[] {
  return registeredBy(plays.slice(0, number).flatMap(({ tasks }) => tasks));
}

function registeredBy(tasks: readonly TaskEntry[]): readonly string[] {
  return [...new Set(tasks.flatMap(({ register }) => register ?? []))];
}

function playHosts(play: Play, fleet: Fleet): readonly Host[] {
  try {
    return selectHosts(fleet, String(play.hosts.value));
  } catch (error) {
    throw located(error, play.hosts.place(), 'playbook.hosts');
  }
}

function bindChecks(play: Play, number: number, list: 'checks' | 'gate', binding: Binding): readonly BoundCheck[] {
  return play[list].flatMap((entry, index) => bindCheck(entry, `${number}.${list === 'gate' ? 'gate.' : ''}${index}`, binding) ?? []);
}

function bindCheck(entry: CheckEntry, id: string, { fleet, registry, extra }: Binding): BoundCheck | undefined {
  const [host] = fleet.hosts;
  if (!host) return undefined;
  const scope = withVars({ fleet, host }, { inventory: fleet.vars, playbook: entry.vars, extra });
  if (decide(entry.when, scope) === false) return undefined;
  const definition = word(entry.check, registry.checks, 'check', entry.where);
  return { id, entry, definition, want: checked(definition.params, entry.params, filled(entry.params, scope), entry.check, 'check') };
}
