/** One entry of a play on one host: no step, one, or in a loop one for each turn. */
import { LvsError } from '../errors.ts';
import { didYouMean } from '../inventory/nearest.ts';
import type { Fleet, Host, Iteration, Known, Step, TaskEntry } from '../model.ts';
import type { AnyTask } from '../task.ts';
import { complaint } from './complaint.ts';
import type { Scope } from './expression.ts';
import { turnName, turnsOf } from './loop.ts';
import type { Registry } from './registry.ts';
import { plainVars, type VarLayers, withVars } from './scope.ts';
import { checked, decide, filled, filledParams, word } from './values.ts';

/** What binding looks at all the time. */
export interface Binding {
  readonly fleet: Fleet;
  readonly registry: Registry;
  /** Variables that win over all others. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** Names that entries before this one register. */
  readonly registers: readonly string[];
  /** What looks at the hosts have found; steps behind a barrier may use it in their parameters. */
  readonly known?: Known | undefined;
}

/** `id` is that of the step, or the beginning of it in a loop. Throws LvsError (exit 4) located in the playbook. */
export function bindTask(entry: TaskEntry, id: string, host: Host, binding: Binding): readonly Step[] {
  // A slip in the word is said even where a condition keeps the task from ever being bound.
  const task = word(entry.task, binding.registry.tasks, 'task', entry.where);
  rejectUntil(entry, task);
  const layers: VarLayers = { inventory: host.vars, playbook: entry.vars, extra: binding.extra };
  const scope = scopeFor(entry, host, binding);
  const bind = (loop?: Iteration): readonly Step[] =>
    bindTurn({ entry, id: loop ? `${id}.${loop.index}` : id, task, layers, ...(loop && { loop }) }, { ...scope, ...(loop && { loop }) });
  const { loop } = entry;
  if (!loop) return bind();
  const turns = orWaits(entry, binding, () => turnsOf(loop, withVars(scope, layers)));
  return typeof turns === 'string' ? [{ ...unbound(entry, id, host), waits: turns }] : turns.flatMap((turn) => bind(turn));
}

/** Before a barrier nothing is known of a host but what the inventory says: steps are then the same however often they are bound. */
function scopeFor({ phase }: TaskEntry, host: Host, { fleet, registers, known }: Binding): Omit<Scope, 'vars'> {
  const facts = phase > 0 ? known?.facts[host.name] : undefined;
  const registered = phase > 0 ? known?.registered[host.name] : undefined;
  return { fleet, host, registers, ...(facts && { facts }), ...(registered && { registered }) };
}

interface Turn {
  readonly entry: TaskEntry;
  readonly id: string;
  readonly task: AnyTask;
  readonly layers: VarLayers;
  readonly loop?: Iteration;
}

function bindTurn({ entry, id, task, layers, loop }: Turn, outer: Omit<Scope, 'vars'>): readonly Step[] {
  const scope = withVars(outer, layers);
  const when = decide(entry.when, scope);
  if (when === false) return [];
  const name = String(filled(entry.name, scope));
  const want = orWaits(entry, outer, () => ({
    checked: checked(task.params, entry.params, filledParams(entry.params, scope, task.params), entry.task),
  }));
  const step: Step = {
    ...unbound(entry, id, scope.host),
    name: loop && name === entry.name.value ? turnName(name, loop) : name,
    ...(typeof want === 'string' ? { waits: want } : { want: want.checked }),
    notify: entry.notify.map((handler) => String(filled(handler, scope))),
    ...(entry.delegateTo && { on: delegate(entry, scope) }),
  };
  const vars = { ...plainVars(layers), ...(loop && { loop }) };
  const until = entry.until && { until: String(entry.until.value) };
  return [when === true && !until ? step : { ...step, ...(when !== true && { when }), ...until, vars }];
}

/** What the entry says of its step by itself. */
function unbound(entry: TaskEntry, id: string, host: Host): Step {
  return {
    id,
    host: host.name,
    play: Number.parseInt(id, 10),
    name: String(entry.name.value),
    task: entry.task,
    want: undefined,
    tags: entry.tags,
    notify: [],
    phase: entry.phase,
    frames: entry.frames,
    ...(entry.register !== undefined && { register: entry.register }),
    ...(entry.runOnce && { runOnce: true }),
    ...(entry.tries && { tries: entry.tries }),
    where: entry.where,
  };
}

/**
 * The value, or why it has to wait for the look that comes with the entry's phase. What a host has said may not fit yet either: the step
 * before may be what makes it fit, and where it never does, that host has failed and not the whole run.
 */
function orWaits<Value>(
  { phase }: TaskEntry,
  looked: { readonly known?: unknown; readonly facts?: unknown },
  work: () => Value,
): Value | string {
  try {
    return work();
  } catch (error) {
    const mayWait = error instanceof LvsError && (error.code === 'playbook.facts' || Boolean(looked.known ?? looked.facts));
    if (phase > 0 && mayWait) return error.hint && error.code !== 'playbook.facts' ? `${error.message}; ${error.hint}` : error.message;
    throw error;
  }
}

function delegate({ delegateTo, where }: TaskEntry, scope: Scope): string {
  const name = delegateTo ? String(filled(delegateTo, scope)) : '';
  const names = scope.fleet.hosts.map((host) => host.name);
  if (names.includes(name)) return name;
  const hint = `${didYouMean(name, names)}a task is delegated to a host of the inventory: ${names.join(', ')}`;
  throw complaint(`delegate_to: there is no host "${name}"`, delegateTo?.place() ?? where, 'playbook.delegate', hint);
}

function rejectUntil({ until, task, where }: TaskEntry, { registers }: AnyTask): void {
  if (!until || registers) return;
  const hint = 'use a task that looks at something, such as query; what changes something waits by itself, or has "retries" alone';
  throw complaint(`until needs a task that says something, and ${task} does not`, until.place() ?? where, 'playbook.until', hint);
}
