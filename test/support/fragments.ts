/** Every shell fragment that a task can come up with, as far as its example and its golden cases lead. */
import { LvsError } from '../../src/errors.ts';
import type { Change, Facts, Output } from '../../src/model.ts';
import { renderSh, type Sh } from '../../src/sh/sh.ts';
import type { AnyTask, PlanContext } from '../../src/task.ts';
import { type GoldenCase, goldenCases, outputOf } from './golden.ts';
import { planContext } from './plan-context.ts';

/** A situation that a task may find itself in. */
export interface Situation {
  readonly params: unknown;
  readonly output: Output;
  readonly context: PlanContext;
}

export interface Fragment {
  /** `package probe`, `package install:nginx run`, … */
  readonly name: string;
  readonly sh: Sh;
}

const rocky: Partial<Facts> = { distribution: 'rocky', release: '9.4', codename: '', packageManager: 'dnf' };

/** A bare host that knows nothing, on two distributions, with the example's parameters; every golden case; and each golden answer to the example. */
export function situationsOf(name: string, task: AnyTask): readonly Situation[] {
  const goldens = goldenCases().filter((each) => each.task === name);
  const bare = { stdout: '', stderr: '', exit: 127 };
  const contexts = [planContext(), planContext({ facts: rocky }), planContext({ host: 'dr1' })];
  return [
    ...contexts.map((context) => ({ params: task.example, output: bare, context })),
    ...goldens.map(({ golden }) => ({ params: golden.params, output: outputOf(golden), context: contextOf(golden) })),
    ...goldens.map(({ golden }) => ({ params: task.example, output: outputOf(golden), context: contextOf(golden) })),
  ];
}

function contextOf({ facts, host }: GoldenCase): PlanContext {
  return planContext({ ...(facts && { facts }), ...(host && { host }) });
}

/** The changes, or nothing where the task refuses the situation. Anything else than an LvsError is thrown on. */
export function changesOf(task: AnyTask, want: unknown, { output, context }: Omit<Situation, 'params'>): readonly Change[] | undefined {
  try {
    return task.plan(task.parse(output, want), want, context);
  } catch (error) {
    if (error instanceof LvsError) return undefined;
    throw error;
  }
}

/** Probe, changes and handlers of one situation. `want` has been through the task's schema. */
export function fragmentsOf(name: string, task: AnyTask, want: unknown, situation: Omit<Situation, 'params'>): readonly Fragment[] {
  const changes = (changesOf(task, want, situation) ?? []).flatMap((change) => [
    ...pieces(`${name} ${change.id}`, change),
    ...[change.consumes, change.produces].flatMap((artefact) =>
      artefact ? [{ name: `${name} ${change.id} build`, sh: artefact.build }] : [],
    ),
  ]);
  const handlers = Object.entries(task.handlers?.(want) ?? {}).flatMap(([handler, all]) => pieces(`${name} handler "${handler}"`, all));
  const before = (task.before?.(want) ?? []).flatMap(({ resource, ...parts }) =>
    (['record', 'differs', 'restore'] as const).map((part) => ({ name: `${name} ${resource} ${part}`, sh: parts[part] })),
  );
  return [{ name: `${name} probe`, sh: task.probe(want) }, ...changes, ...handlers, ...before];
}

function pieces(name: string, owner: Pick<Change, 'run' | 'unless' | 'validate' | 'undo'>): readonly Fragment[] {
  return (['run', 'unless', 'validate', 'undo'] as const).flatMap((piece) => {
    const fragment = owner[piece];
    return fragment ? [{ name: `${name} ${piece}`, sh: fragment }] : [];
  });
}

/** The fragment as it is sent, without secrets. */
export function textOf(fragment: Fragment): string {
  return `${renderSh(fragment.sh, (value) => value)}\n`;
}

/** Fragments of the same author's text, whatever the values, only once. */
export function distinct(fragments: readonly Fragment[]): readonly Fragment[] {
  const skeleton = ({ sh }: Fragment): string => JSON.stringify(sh.parts.map((part) => ('text' in part ? part.text : 0)));
  return [...new Map(fragments.map((fragment) => [skeleton(fragment), fragment])).values()];
}
