/** A playbook bound to an inventory: which host does which step with which checked parameters. No host has been asked anything yet. */
import type { z } from 'zod';
import { EXIT, LvsError, type Where } from '../errors.ts';
import { nearest } from '../inventory/nearest.ts';
import { selectHosts } from '../inventory/select.ts';
import type { CheckEntry, Fleet, Host, Play, Playbook, Step, TaskEntry } from '../model.ts';
import type { AnyCheck } from '../task.ts';
import { evaluate, FactsNeeded, fill, type Scope } from './expression.ts';
import type { Registry } from './registry.ts';

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

/** Binds every play. `limit` is a host pattern that narrows all of them. Throws LvsError (exit 4) located in the playbook. */
export function bindPlaybook(playbook: Playbook, fleet: Fleet, registry: Registry, limit = 'all'): readonly BoundPlay[] {
  const limited = new Set(selectHosts(fleet, limit).map(({ name }) => name));
  return playbook.plays.map((play, number) => {
    const hosts = located(play.where, () => selectHosts(fleet, play.hosts)).filter(({ name }) => limited.has(name));
    const steps = hosts.map((host) => [host.name, bindTasks(play, number, host, fleet, registry)] as const);
    const checks = play.checks.flatMap((entry, index) => bindCheck(entry, `${number}.${index}`, fleet, registry) ?? []);
    return { name: play.name, steps: Object.fromEntries(steps), checks };
  });
}

function bindTasks(play: Play, number: number, host: Host, fleet: Fleet, registry: Registry): readonly Step[] {
  const scope: Scope = { fleet, host, vars: host.vars };
  return play.tasks.flatMap((entry, index) => {
    const { where, notify } = entry;
    const when = decide(entry, scope);
    if (when === false) return [];
    const task = word(entry.task, registry.tasks, 'task', where);
    const want = checked(task.params, params(entry, scope), entry.task, where);
    const step = { id: `${number}.${index}`, host: host.name, play: number, name: entry.name, task: entry.task, want, notify, where };
    return [when === true ? step : { ...step, when }];
  });
}

function bindCheck(entry: CheckEntry, id: string, fleet: Fleet, registry: Registry): BoundCheck | undefined {
  const [host] = fleet.hosts;
  if (!host) return undefined;
  const scope: Scope = { fleet, host, vars: fleet.vars };
  if (decide(entry, scope) === false) return undefined;
  const definition = word(entry.check, registry.checks, 'check', entry.where);
  return { id, entry, definition, want: checked(definition.params, params(entry, scope), entry.check, entry.where) };
}

/** True or false when the condition can be known now; the condition itself when it needs facts. */
function decide(entry: TaskEntry | CheckEntry, scope: Scope): boolean | string {
  if (entry.when === undefined) return true;
  try {
    return Boolean(evaluate(entry.when, scope));
  } catch (error) {
    if (error instanceof FactsNeeded) return entry.when;
    throw complaint(`when: ${said(error)}`, entry.where, 'playbook.expression');
  }
}

function params(entry: TaskEntry | CheckEntry, scope: Scope): unknown {
  try {
    return fill(entry.params, scope);
  } catch (error) {
    if (error instanceof FactsNeeded) {
      throw complaint(`${error.message} is not known here`, entry.where, 'playbook.facts', 'facts may be used in "when" and in templates');
    }
    throw complaint(said(error), entry.where, 'playbook.expression');
  }
}

function checked(schema: z.ZodType, value: unknown, name: string, where: Where): unknown {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.length ? `${name}.${issue.path.join('.')}` : name;
  throw complaint(`${path}: ${issue?.message ?? 'not accepted'}`, where, 'playbook.params', `see "lvsctl tasks ${name}"`);
}

function word<Definition>(name: string, known: ReadonlyMap<string, Definition>, kind: string, where: Where): Definition {
  const found = known.get(name);
  if (found) return found;
  const close = nearest(name, [...known.keys()]);
  throw complaint(
    `there is no ${kind} "${name}"`,
    where,
    'playbook.unknown-word',
    close ? `did you mean "${close}"?` : `known: ${[...known.keys()].join(', ')}`,
  );
}

function located<Value>(where: Where, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LvsError)) throw error;
    throw complaint(error.message, where, error.code, error.hint);
  }
}

function complaint(message: string, where: Where, code: string, hint?: string): LvsError {
  return new LvsError(message, { code, exitCode: EXIT.badInput, where, ...(hint && { hint }) });
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
