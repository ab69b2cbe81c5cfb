/**
 * One host's part of a batch. Its changes run in order, in as few scripts as artefacts allow: a script ends where an artefact was
 * built (others wait for it) and a new one begins where one must be waited for. The handlers close the last script.
 */
import { LvsError } from '../errors.ts';
import type { Change, Event, HandlerPlan, HostPlan, Outcome } from '../model.ts';
import { newNonce } from '../sh/frame.ts';
import { fetchFile, sendFile } from '../transport/send-file.ts';
import type { Connection } from '../transport/transport.ts';
import type { Builds } from './artefacts.ts';
import { handlerJob, hostCache, type Job, jobOf } from './bundle.ts';
import { runAcrossReboots } from './reboot.ts';
import { artefactPath, fetchBlob, type Store, sha256 } from './store.ts';

export interface ApplyOptions {
  readonly runId: string;
  /** Open connections by host name; every host of the plan that is `planned` has one. */
  readonly connections: ReadonlyMap<string, Connection>;
  readonly store: Store;
  readonly resolve: (value: string) => string;
  readonly emit: (event: Event) => void;
}

export interface AppliedChange {
  /** Step id and change id; a handler has its name and no step. */
  readonly step?: string;
  readonly change: string;
  readonly outcome: Outcome;
}

export interface AppliedHost {
  readonly host: string;
  readonly failed: boolean;
  readonly changes: readonly AppliedChange[];
}

interface Item {
  readonly step: string;
  readonly change: Change;
}

export type HostOptions = ApplyOptions & { readonly builds: Builds };

export async function applyHost(plan: HostPlan, run: string, options: HostOptions): Promise<AppliedHost> {
  const connection = options.connections.get(plan.host);
  if (!connection) throw new Error(`no connection to ${plan.host}`);
  const items = plan.steps.flatMap(({ step, changes }) => changes.map((change) => ({ step: step.id, change })));
  const scripts = splitAtArtefacts(items);
  const done: AppliedChange[] = [];
  for (const [number, script] of scripts.entries()) {
    const handlers = number === scripts.length - 1 ? plan.handlers : [];
    const part = await runScriptOf(script, { connection, handlers, notified: notifiedBy(items, done), id: `${run}-${number}`, options });
    done.push(...part);
    if (part.some(({ outcome }) => outcome.result === 'failed')) break;
  }
  const failed = done.some(({ outcome }) => outcome.result === 'failed');
  if (failed) giveUpBuilds(items, done, plan.host, options.builds);
  return { host: plan.host, failed, changes: done };
}

/** A new script before a change that takes an artefact which this host does not make itself, and after one that makes one. */
export function splitAtArtefacts(items: readonly Item[]): readonly (readonly Item[])[] {
  const scripts: Item[][] = [[]];
  const own = new Set(items.flatMap(({ change }) => change.produces?.key ?? []));
  for (const item of items) {
    const waits = item.change.consumes && !own.has(item.change.consumes.key);
    if (waits && scripts.at(-1)?.length) scripts.push([]);
    scripts.at(-1)?.push(item);
    if (item.change.produces) scripts.push([]);
  }
  return scripts.filter((script) => script.length > 0);
}

interface ScriptContext {
  readonly connection: Connection;
  readonly handlers: readonly HandlerPlan[];
  /** Handlers that changes of earlier scripts have notified for certain. */
  readonly notified: ReadonlySet<string>;
  readonly id: string;
  readonly options: HostOptions;
}

async function runScriptOf(items: readonly Item[], context: ScriptContext): Promise<readonly AppliedChange[]> {
  const { connection, options } = context;
  try {
    for (const { change } of items) await deliver(change, connection, options);
    const jobs = [...items.map(({ change }) => jobOf(change)), ...handlerJobs(items, context)];
    const outcomes = await runAcrossReboots(connection, { id: context.id, nonce: newNonce(), jobs }, options);
    for (const [index, { change }] of items.entries()) {
      if (change.produces && ['done', 'already'].includes(outcomes[index]?.result ?? ''))
        await collect(change.produces.key, connection, options);
    }
    return outcomes.map((outcome, index) => {
      const item = items[index];
      return item ? { step: item.step, change: item.change.id, outcome } : { change: outcome.title, outcome };
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const output = error instanceof LvsError && error.hint ? `${error.message}; ${error.hint}` : error.message;
    const [first, ...rest] = items;
    if (!first) throw error;
    const failed: Outcome = { title: first.change.title, result: 'failed', exit: -1, output, seconds: 0 };
    options.emit({ kind: 'end', host: connection.host.name, title: failed.title, result: 'failed', detail: output, seconds: 0 });
    return [
      { step: first.step, change: first.change.id, outcome: failed },
      ...rest.map(({ step, change }) => ({
        step,
        change: change.id,
        outcome: { ...failed, title: change.title, result: 'not-run' as const, output: '' },
      })),
    ];
  }
}

/** A handler runs when an earlier script notified it, or waits for the changes of this script that do. */
function handlerJobs(items: readonly Item[], { handlers, notified }: ScriptContext): readonly Job[] {
  return handlers.flatMap(({ name, handler }) => {
    const here = items.flatMap(({ change }, number) => (change.notify?.includes(name) ? [number] : []));
    if (notified.has(name)) return [handlerJob(name, handler, 'always')];
    return here.length > 0 ? [handlerJob(name, handler, here)] : [];
  });
}

function notifiedBy(items: readonly Item[], done: readonly AppliedChange[]): ReadonlySet<string> {
  const made = new Set(done.filter(({ outcome }) => outcome.result === 'done').map(({ step, change }) => `${step} ${change}`));
  return new Set(items.filter(({ step, change }) => made.has(`${step} ${change.id}`)).flatMap(({ change }) => change.notify ?? []));
}

/** Brings what a change needs from this machine to the host: sources for a build, an artefact that another host made. */
async function deliver(change: Change, connection: Connection, { store, builds, emit }: HostOptions): Promise<void> {
  const host = connection.host.name;
  const send = async (path: string, sum: string, to: string, name: string): Promise<void> => {
    const progress = (done: number, total: number): void =>
      emit({ kind: 'progress', host, title: `send ${name}`, done, total, unit: 'bytes' });
    await sendFile(connection, { path, sha256: sum, to, mode: '600' }, progress);
  };
  for (const blob of change.blobs ?? []) {
    emit({ kind: 'host', host, doing: `fetch ${blob.name}` });
    await send(await fetchBlob(store, blob), blob.sha256, `${hostCache}/blobs/${blob.sha256}`, blob.name);
  }
  const key = change.consumes?.key;
  if (key === undefined || change.produces) return;
  emit({ kind: 'host', host, doing: `wait for ${change.consumes?.title}` });
  await builds.wait(key);
  const path = artefactPath(store, key);
  await send(path, await sha256(path), `${hostCache}/artefacts/${key}.tar.gz`, `${key}.tar.gz`);
}

async function collect(key: string, connection: Connection, { store, builds, emit }: HostOptions): Promise<void> {
  const host = connection.host.name;
  await fetchFile(connection, { from: `${hostCache}/artefacts/${key}.tar.gz`, to: artefactPath(store, key) }, (done, total) =>
    emit({ kind: 'progress', host, title: `keep ${key}.tar.gz`, done, total, unit: 'bytes' }),
  );
  builds.finish(key);
}

function giveUpBuilds(items: readonly Item[], done: readonly AppliedChange[], host: string, builds: Builds): void {
  const built = new Set(done.filter(({ outcome }) => ['done', 'already'].includes(outcome.result)).map(({ change }) => change));
  for (const { change } of items) {
    if (change.produces && !built.has(change.id)) builds.fail(change.produces.key, `${host} did not get to the end of: ${change.title}`);
  }
}
