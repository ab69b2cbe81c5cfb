/** What is done once after changes that notify it: handlers that come with tasks, and those of a play, which win. */
import { nearest } from '../inventory/nearest.ts';
import type { BoundHandler, HandlerEntry, Host, Play, Step, TaskEntry } from '../model.ts';
import type { Binding } from './bind-task.ts';
import { complaint } from './complaint.ts';
import type { Registry } from './registry.ts';
import { plainVars, withVars } from './scope.ts';
import { checked, decide, filled, word } from './values.ts';

/** All that a step on this host may notify, in the order of definition. Throws LvsError (exit 4) located in the playbook. */
export function handlersOf(play: Play, host: Host, steps: readonly Step[], binding: Binding): readonly BoundHandler[] {
  const own = play.handlers.flatMap((entry) => bindHandler(entry, host, binding) ?? []);
  const named = [...ownHandlers(steps, binding.registry), ...own].map((handler) => [handler.name, handler] as const);
  return [...new Map(named).values()];
}

/** The handlers that come with the steps' tasks. */
export function ownHandlers(steps: readonly Step[], registry: Registry): readonly BoundHandler[] {
  const bound = steps.filter(({ waits }) => waits === undefined);
  const defined = bound.flatMap(({ task, want }) => Object.entries(registry.tasks.get(task)?.handlers?.(want) ?? {}));
  const named = defined.map(([name, handler]) => [name, { name, listen: [], handler, own: true }] as const);
  return [...new Map(named).values()];
}

export function answersTo({ name, listen }: Pick<BoundHandler, 'name' | 'listen'>, notified: string): boolean {
  return name === notified || listen.includes(notified);
}

/** Throws LvsError (exit 4) at the name in `notify` that nobody answers to. */
export function rejectUnknownHandlers(
  entry: TaskEntry,
  steps: readonly Step[],
  known: readonly Pick<BoundHandler, 'name' | 'listen'>[],
): void {
  for (const { notify, host } of steps) {
    for (const [index, name] of notify.entries()) {
      if (known.some((handler) => answersTo(handler, name))) continue;
      const names = [...new Set(known.flatMap((handler) => [handler.name, ...handler.listen]))];
      const close = nearest(name, names);
      const list = names.length > 0 ? `defined here: ${names.join(', ')}` : 'none of its tasks defines one; write handlers: beside tasks:';
      const where = entry.notify[index]?.place() ?? entry.where;
      const hint = `${close ? `did you mean "${close}"? ` : ''}${list}`;
      throw complaint(`nothing in this play defines the handler "${name}" for ${host}`, where, 'playbook.unknown-handler', hint);
    }
  }
}

function bindHandler(entry: HandlerEntry, host: Host, { fleet, registry, extra, registers }: Binding): BoundHandler | undefined {
  const form = word(entry.task, registry.tasks, 'task', entry.where).asHandler;
  if (!form) {
    const able = [...registry.tasks].filter(([, task]) => task.asHandler).map(([name]) => name);
    throw complaint(`${entry.task} cannot be a handler`, entry.where, 'playbook.handler', `can be: ${able.join(', ')}`);
  }
  const layers = { inventory: host.vars, playbook: entry.vars, extra };
  const scope = withVars({ fleet, host, registers }, layers);
  const when = decide(entry.when, scope);
  if (when === false) return undefined;
  const want = checked(form.params, entry.params, filled(entry.params, scope), entry.task);
  const bound = { name: entry.name, listen: entry.listen, handler: form.make(want) };
  return when === true ? bound : { ...bound, when, vars: plainVars(layers) };
}
