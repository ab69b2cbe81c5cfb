/** One step on one host: what it was seen to be, against what is wanted. */
import { LvsError, refuse } from '../errors.ts';
import type { Facts, Fleet, Host, Registered, Seen, Step, StepPlan, StepStatus, StepVars, Touched } from '../model.ts';
import { isTrue, type Scope } from '../playbook/expression.ts';
import type { Registry } from '../playbook/registry.ts';
import { scopeOf } from '../playbook/scope.ts';
import { renderSh, type Sh } from '../sh/sh.ts';
import type { AnyTask, PlanContext } from '../task.ts';
import { concealed, withoutSecrets } from './without-secrets.ts';

interface StepInput {
  readonly fleet: Fleet;
  readonly registry: Registry;
  readonly seen: Readonly<Record<string, Seen>>;
  readonly resolve: (text: string) => string;
  readonly conceal: (text: string) => string;
  /** What others have configured may be replaced. */
  readonly takeOver?: boolean | undefined;
  /** Blocks in which something is to be done before this step. */
  readonly busy?: ReadonlySet<string>;
}

type Registers = Readonly<Record<string, Registered>>;

/** What the step's fragment is called in the script of the host that it looks at. */
export function fragmentId({ id, host, on }: Pick<Step, 'id' | 'host' | 'on'>): string {
  return on === undefined ? id : `${host}/${id}`;
}

/** Every host that the step needs has been reached. Nothing in it gives a secret away that the run knows, whatever the host has said. */
export function planStep(step: Step, owner: Host, registered: Registers, input: StepInput): StepPlan {
  return withoutSecrets(compared(step, owner, registered, input), input.conceal);
}

function compared(step: Step, owner: Host, registered: Registers, input: StepInput): StepPlan {
  const { fleet, seen } = input;
  const facts = factsOf(owner.name, seen);
  try {
    if (!holds(step, { fleet, host: owner, facts, registered })) return verdict(step, 'skipped', `${step.when} is false`);
    if (step.waits !== undefined) return { step, status: 'later', why: step.waits, changes: [], pendingReboot: [] };
    return planned(step, owner, registered, input);
  } catch (error) {
    if (error instanceof LvsError) return verdict(step, 'failed', error.hint ? `${error.message}; ${error.hint}` : error.message);
    throw error;
  }
}

function planned(step: Step, owner: Host, registered: Registers, input: StepInput): StepPlan {
  const { fleet, seen, registry, resolve } = input;
  const task = taskOf(step, registry);
  const host = fleet.hosts.find(({ name }) => name === step.on) ?? owner;
  const facts = factsOf(host.name, seen);
  const looked = seen[host.name];
  const output = looked?.reached ? looked.outputs[fragmentId(step)] : undefined;
  const found = task.parse(output ?? { stdout: '', stderr: '', exit: 127 }, step.want);
  const same: PlanContext['same'] = (text, wanted) => text === resolve(wanted);
  const changes = task
    .plan(found, step.want, {
      facts,
      host,
      fleet,
      same,
      ...(isLater(step, input.busy) && { later: true }),
      ...(input.takeOver && { takeOver: true }),
    })
    .map((change) => ({ ...change, notify: [...new Set([...(change.notify ?? []), ...step.notify])] }));
  const pendingReboot = task.pendingReboot?.(found, step.want) ?? [];
  const stays = task.stays?.(found, step.want) ?? [];
  const standby = changes.length > 0 && step.frames?.some(({ part }) => part === 'rescue');
  const status: StepStatus = standby ? 'standby' : changes.length > 0 ? 'change' : 'ok';
  const said: Registered = {
    changed: changes.length > 0,
    skipped: false,
    ...(concealed(task.registers?.(found, step.want), input.conceal) as object | undefined),
  };
  const why = changes.length > 0 ? '' : task.settled(step.want, found);
  const scope = { fleet, host: owner, facts: factsOf(owner.name, seen), registered, result: said };
  const until =
    step.until === undefined
      ? {}
      : { holds: decided('until', step.name, step.until, scopeOf(scope, step.vars ?? { given: {}, made: {} })) };
  return {
    ...{ step, status, why, changes, pendingReboot },
    ...(stays.length > 0 && { stays }),
    ...(changes.length > 0 && { touches: touchedBy(task, step.want) }),
    ...(step.register !== undefined && { said }),
    ...until,
  };
}

function touchedBy(task: AnyTask, want: unknown): readonly Touched[] {
  const text = (shell: Sh): string => renderSh(shell, (value) => value);
  const own = (task.before?.(want) ?? []).map(({ resource, record, differs, restore }) => ({
    resource,
    own: { record: text(record), differs: text(differs), restore: text(restore) },
  }));
  return [...task.touches(want).map((resource) => ({ resource })), ...own];
}

/** What the body of its block does comes between the look and this step. */
function isLater({ frames = [] }: Step, busy: ReadonlySet<string> = new Set()): boolean {
  return frames.some(({ block, part }) => part !== 'body' && busy.has(block));
}

function verdict(step: Step, status: 'skipped' | 'failed', why: string): StepPlan {
  const said: Registered = { changed: false, skipped: true };
  return { step, status, why, changes: [], pendingReboot: [], ...(step.register !== undefined && { said }) };
}

/** Decides a condition that had to wait for facts or for what earlier steps have said. */
export function holds(
  { name, when, vars }: { readonly name: string; readonly when?: string | undefined; readonly vars?: StepVars | undefined },
  scope: Omit<Scope, 'vars'>,
): boolean {
  return when === undefined || decided('when', name, when, scopeOf(scope, vars ?? { given: scope.host.vars, made: {} }));
}

function decided(key: 'when' | 'until', name: string, condition: string, scope: Scope): boolean {
  try {
    return isTrue(condition, scope);
  } catch (error) {
    throw refuse(
      `${key} of "${name}": ${error instanceof Error ? error.message : String(error)}`,
      error instanceof LvsError ? error.hint : undefined,
    );
  }
}

function factsOf(host: string, seen: Readonly<Record<string, Seen>>): Facts {
  const looked = seen[host];
  if (!looked?.reached) throw new Error(`${host} is planned without having been reached`);
  return looked.facts;
}

function taskOf(step: Step, registry: Registry): AnyTask {
  const task = registry.tasks.get(step.task);
  if (!task) throw new Error(`task ${step.task} was bound but is not registered`);
  return task;
}
