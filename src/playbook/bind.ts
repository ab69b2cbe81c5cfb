/** A playbook bound to an inventory: which host does which step with which checked parameters. No host has been asked anything yet. */
import { selectHosts } from '../inventory/select.ts';
import type { CheckEntry, Fleet, Host, Play, Playbook, Step } from '../model.ts';
import type { AnyCheck } from '../task.ts';
import { type Binding, bindTask } from './bind-task.ts';
import { located } from './complaint.ts';
import type { Registry } from './registry.ts';
import { withVars } from './scope.ts';
import { isChosen, rejectUnknownTags } from './tags.ts';
import { checked, decide, filled, word } from './values.ts';

export interface BoundPlay {
  readonly name: string;
  /** Steps by host name, in order. */
  readonly steps: Readonly<Record<string, readonly Step[]>>;
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
    const steps = hosts.map((host) => {
      // What is not chosen is bound too: a mistake is said whatever the tags.
      const all = play.tasks.flatMap((entry, index) => bindTask(entry, `${number}.${index}`, host, binding));
      return [host.name, all.filter(({ tags }) => isChosen(tags ?? [], choice))];
    });
    const checks = play.checks.flatMap((entry, index) => bindCheck(entry, `${number}.${index}`, binding) ?? []);
    return { name: play.name, steps: Object.fromEntries(steps), checks };
  });
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
  return { id, entry, definition, want: checked(definition.params, entry.params, filled(entry.params, scope), entry.check) };
}
