/** One entry of a play on one host: no step, one, or in a loop one for each turn. */
import type { Fleet, Host, Iteration, Step, TaskEntry } from '../model.ts';
import { turnName, turnsOf } from './loop.ts';
import type { Registry } from './registry.ts';
import { plainVars, type VarLayers, withVars } from './scope.ts';
import { checked, decide, filled, word } from './values.ts';

/** What binding looks at all the time. */
export interface Binding {
  readonly fleet: Fleet;
  readonly registry: Registry;
  /** Variables that win over all others. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** `id` is that of the step, or the beginning of it in a loop. Throws LvsError (exit 4) located in the playbook. */
export function bindTask(entry: TaskEntry, id: string, host: Host, binding: Binding): readonly Step[] {
  // A slip in the word is said even where a condition keeps the task from ever being bound.
  word(entry.task, binding.registry.tasks, 'task', entry.where);
  const layers: VarLayers = { inventory: host.vars, playbook: entry.vars, extra: binding.extra };
  if (!entry.loop) return bindTurn(entry, id, host, layers, binding);
  const turns = turnsOf(entry.loop, withVars({ fleet: binding.fleet, host }, layers));
  return turns.flatMap((loop) => bindTurn(entry, `${id}.${loop.index}`, host, layers, binding, loop));
}

function bindTurn(
  entry: TaskEntry,
  id: string,
  host: Host,
  layers: VarLayers,
  { fleet, registry }: Binding,
  loop?: Iteration,
): readonly Step[] {
  const scope = withVars({ fleet, host, ...(loop && { loop }) }, layers);
  const when = decide(entry.when, scope);
  if (when === false) return [];
  const task = word(entry.task, registry.tasks, 'task', entry.where);
  const name = String(filled(entry.name, scope));
  const step: Step = {
    id,
    host: host.name,
    play: Number.parseInt(id, 10),
    name: loop && name === entry.name.value ? turnName(name, loop) : name,
    task: entry.task,
    want: checked(task.params, entry.params, filled(entry.params, scope), entry.task),
    tags: entry.tags,
    notify: entry.notify.map((handler) => String(filled(handler, scope))),
    where: entry.where,
  };
  return [when === true ? step : { ...step, when, vars: { ...plainVars(layers), ...(loop && { loop }) } }];
}
