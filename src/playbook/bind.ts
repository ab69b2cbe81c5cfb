/** A playbook bound to an inventory: which host does which step with which checked parameters. No host has been asked anything yet. */
import { selectHosts } from '../inventory/select.ts';
import type { CheckEntry, Fleet, Host, Play, Playbook, Step, TaskEntry } from '../model.ts';
import type { AnyCheck } from '../task.ts';
import { located } from './complaint.ts';
import type { Registry } from './registry.ts';
import { plainVars, type VarLayers, withVars } from './scope.ts';
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

/** What binding looks at all the time. */
interface Binding {
  readonly fleet: Fleet;
  readonly registry: Registry;
  readonly options: BindOptions;
}

/** Binds every play. Throws LvsError (exit 4) located in the playbook. */
export function bindPlaybook(playbook: Playbook, fleet: Fleet, registry: Registry, options: BindOptions = {}): readonly BoundPlay[] {
  const limited = new Set(selectHosts(fleet, options.limit ?? 'all').map(({ name }) => name));
  const choice = { tags: options.tags ?? [], skipTags: options.skipTags ?? [] };
  rejectUnknownTags(playbook, choice);
  const binding = { fleet, registry, options };
  return playbook.plays.map((play, number) => {
    const hosts = playHosts(play, fleet).filter(({ name }) => limited.has(name));
    const steps = hosts.map((host) => {
      // What is not chosen is bound too: a mistake is said whatever the tags.
      const all = play.tasks.flatMap((entry, index) => bindTask(entry, [number, index], host, binding));
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

function bindTask(entry: TaskEntry, [play, index]: readonly [number, number], host: Host, binding: Binding): readonly Step[] {
  const { fleet, registry } = binding;
  const layers: VarLayers = { inventory: host.vars, playbook: entry.vars, extra: binding.options.extraVars ?? {} };
  const scope = withVars({ fleet, host }, layers);
  const when = decide(entry.when, scope);
  if (when === false) return [];
  const task = word(entry.task, registry.tasks, 'task', entry.where);
  const step = {
    id: `${play}.${index}`,
    host: host.name,
    play,
    name: String(filled(entry.name, scope)),
    task: entry.task,
    want: checked(task.params, entry.params, filled(entry.params, scope), entry.task),
    tags: entry.tags,
    notify: entry.notify.map((name) => String(filled(name, scope))),
    where: entry.where,
  };
  return [when === true ? step : { ...step, when, vars: plainVars(layers) }];
}

function bindCheck(entry: CheckEntry, id: string, { fleet, registry, options }: Binding): BoundCheck | undefined {
  const [host] = fleet.hosts;
  if (!host) return undefined;
  const scope = withVars({ fleet, host }, { inventory: fleet.vars, playbook: entry.vars, extra: options.extraVars ?? {} });
  if (decide(entry.when, scope) === false) return undefined;
  const definition = word(entry.check, registry.checks, 'check', entry.where);
  return { id, entry, definition, want: checked(definition.params, entry.params, filled(entry.params, scope), entry.check) };
}
