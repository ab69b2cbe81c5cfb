/** The scripts that a host is given in a batch, each with the handlers that close it, and the jobs that each consists of. */
import type { HandlerPlan, HostPlan } from '../../model.ts';
import { handlerJob, type Job, jobOf } from './bundle.ts';
import { cutIntoScripts, type Item, type Script } from './items.ts';
import { keepFragments } from './keep.ts';
import type { Debt } from './marks.ts';

export interface Part {
  readonly script: Script;
  readonly handlers: readonly HandlerPlan[];
  /** Names of all handlers of the host that run where this script does: what notifies one of them owes it. */
  readonly owes: ReadonlySet<string>;
  /** Those that run on another host: its script cannot leave word of them. */
  readonly elsewhere: readonly Debt[];
  readonly id: string;
  /** Number of the batch. */
  readonly batch: number;
  /** All handlers of the host that run where this script does, in their order. */
  readonly known: readonly HandlerPlan[];
}

/** What it takes to keep how things were. */
export interface KeepOptions {
  readonly runId: string;
  readonly keepAll?: boolean | undefined;
  readonly resolve: (value: string) => string;
}

/** Scripts with their handlers: those of a change that all hosts make together follow it at once, the others close the last script. */
export function partsOf({ handlers, host }: HostPlan, items: readonly Item[], runId: string, batch: number): readonly Part[] {
  const scripts = cutIntoScripts(items);
  const run = `${runId}-${batch}`;
  const on = (place: string | undefined) => {
    const known = handlers.filter((handler) => handler.on === place);
    const others = handlers.filter((handler) => handler.on !== place);
    const elsewhere = others.map(({ name, on: there = host }) => ({ host: there, handler: name }));
    return { batch, known, owes: new Set(known.map(({ name }) => name)), elsewhere };
  };
  const parts = scripts.map((script, number): Part => {
    const own = script.together ? handlers.filter(({ name }) => script.items.some(({ change }) => change.notify?.includes(name))) : [];
    return { script, handlers: own, ...on(script.on), id: `${run}-${host}-${number}` };
  });
  const elsewhereToo = ({ name }: HandlerPlan): boolean =>
    scripts.some(({ together, items }) => !together && items.some(({ change, staging }) => !staging && change.notify?.includes(name)));
  const left = handlers.filter((handler) => elsewhereToo(handler) || !parts.some((part) => part.handlers.includes(handler)));
  const last = parts.at(-1);
  const here = left.filter((handler) => handler.on === last?.script.on && !last?.handlers.includes(handler));
  const elsewhere = [...new Set(left.filter((handler) => handler.on !== last?.script.on).map(({ on }) => on))];
  return [
    ...parts.map((part) => (part === last ? { ...part, handlers: [...part.handlers, ...here] } : part)),
    ...elsewhere.map((place, number) => ({
      script: { items: [], on: place, together: false },
      handlers: left.filter((handler) => handler.on === place),
      ...on(place),
      id: `${run}-${host}-handlers-${number}`,
    })),
  ];
}

/** `notified`: names of handlers that earlier scripts of the host have notified. */
export function jobsOf(part: Part, notified: ReadonlySet<string>, options: KeepOptions): readonly Job[] {
  return [...part.script.items.map((item) => jobOfItem(item, part, options)), ...handlerJobs(part, notified)];
}

function jobOfItem(item: Item, { owes, batch, known: handlers }: Part, { runId: run, keepAll: all = false, resolve }: KeepOptions): Job {
  const { change, step, staging, placed, touches = [] } = item;
  const kept = keepFragments(touches, { change, run, batch, all, handlers, resolve });
  const more = { placed, ...kept, ...(step.tries && { tries: step.tries }) };
  if (!staging || !change.stage) return jobOf(change, { ...more, owes: (change.notify ?? []).filter((name) => owes.has(name)) });
  return {
    ...more,
    title: `get ready: ${change.title}`,
    run: change.stage,
    timeout: change.timeout ?? 60,
    ...(change.unless && { unless: change.unless }),
  };
}

/** A handler runs when an earlier script notified it, or waits for the changes of this script that do. */
function handlerJobs({ script: { items }, handlers }: Part, notified: ReadonlySet<string>): readonly Job[] {
  return handlers.flatMap(({ name, handler }) => {
    const here = items.flatMap(({ change, staging }, number) => (!staging && change.notify?.includes(name) ? [number] : []));
    if (notified.has(name)) return [handlerJob(name, handler, 'always')];
    return here.length > 0 ? [handlerJob(name, handler, here)] : [];
  });
}
