/** A playbook bound to an inventory: which host does which step with which checked parameters. No host has been asked anything yet. */
import { selectHosts } from '../inventory/select.ts';
import type { BoundHandler, CheckEntry, Fleet, Host, Play, Playbook, Step } from '../model.ts';
import type { AnyCheck } from '../task.ts';
import { type Binding, bindTask } from './bind-task.ts';
import { located } from './complaint.ts';
import { handlersOf, rejectUnknownHandlers } from './handlers.ts';
import type { Registry } from './registry.ts';
import { withVars } from './scope.ts';
import { isChosen, rejectUnknownTags } from './tags.ts';
import { checked, decide, filled, word } from './values.ts';

export interface BoundPlay {
  readonly name: string;
  /** Steps by host name, in order. */
  readonly steps: Readonly<Record<string, readonly Step[]>>;
  /** By host name: all that a step there may notify, in order. Absent: those that come with the steps' own tasks. */
  readonly handlers?: Readonly<Record<string, readonly BoundHandler[]>>;
  readonly checks: readonly BoundCheck[];
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
}

/** Binds every play. Throws LvsError (exit 4) located in the playbook. */
export function bindPlaybook(playbook: Playbook, fleet: Fleet, registry: Registry, options: BindOptions = {}): readonly BoundPlay[] {
  const limited = new Set(selectHosts(fleet, options.limit ?? 'all').map(({ name }) => name));
  const choice = { tags: options.tags ?? [], skipTags: options.skipTags ?? [] };
  rejectUnknownTags(playbook, choice);
  const extra = options.extraVars ?? {};
  const binding = { fleet, registry, extra };
  return playbook.plays.map((play, number) => {
    const hosts = playHosts(play, fleet).filter(({ name }) => limited.has(name));
    // What is not chosen is bound too: a mistake is said whatever the tags, and its handlers may be notified.
    const all = hosts.map((host) => bindHost(play, number, host, binding));
    const steps = all.map((one) => [one.host, one.steps.filter(({ tags }) => isChosen(tags ?? [], choice))] as const);
    const handlers = all.map((one) => [one.host, one.handlers] as const);
    const checks = play.checks.flatMap((entry, index) => bindCheck(entry, `${number}.${index}`, binding) ?? []);
    return { name: play.name, steps: Object.fromEntries(steps), handlers: Object.fromEntries(handlers), checks };
  });
}

interface BoundHost {
  readonly host: string;
  readonly steps: readonly Step[];
  readonly handlers: readonly BoundHandler[];
}

function bindHost(play: Play, number: number, host: Host, binding: Binding): BoundHost {
  const bound = play.tasks.map((entry, index) => ({ entry, steps: bindTask(entry, `${number}.${index}`, host, binding) }));
  const steps = bound.flatMap((each) => each.steps);
  const handlers = handlersOf(play, host, steps, binding);
  for (const each of bound) rejectUnknownHandlers(each.entry, each.steps, [...handlers, ...play.handlers]);
  return { host: host.name, steps, handlers };
}

function playHosts(play: Play, fleet: Fleet): readonly Host[] {
  try {
    return selectHosts(fleet, String(play.hosts.value));
  } catch (error) {
    throw located(error, play.hosts.place(), 'playbook.hosts');
  }
}

function bindCheck(entry: CheckEntry, id: string, { fleet, registry, extra }: Binding): BoundCheck | undefined {
  const [host] = fleet.hosts;
  if (!host) return undefined;
  const scope = withVars({ fleet, host }, { inventory: fleet.vars, playbook: entry.vars, extra });
  if (decide(entry.when, scope) === false) return undefined;
  const definition = word(entry.check, registry.checks, 'check', entry.where);
  return { id, entry, definition, want: checked(definition.params, entry.params, filled(entry.params, scope), entry.check, 'check') };
}
