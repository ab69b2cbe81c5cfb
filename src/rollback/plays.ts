/** A rollback as plays: which hosts put back what, in the opposite order of the runs that are undone. */
import type { BoundHandler, Fleet, Handler, Host, Role, Step } from '../model.ts';
import type { BoundCheck, BoundPlay } from '../playbook/bind.ts';
import type { Registry } from '../playbook/registry.ts';
import { lines, sh } from '../sh/sh.ts';
import { useVersions } from '../versions/versions.ts';
import type { KeptHandler, KeptHost, KeptRun } from './kept-runs.ts';
import { type PutBackWant, putBack } from './put-back.ts';

export interface RollbackOptions {
  /** Id of this run. */
  readonly run: string;
  /** Those that were chosen; one that did not answer has no entry in `kept`. */
  readonly hosts: readonly Host[];
  readonly kept: readonly KeptHost[];
  /** Ids of the runs that are undone. */
  readonly undo: readonly string[];
  readonly force: boolean;
}

/** The word of the steps; no playbook can say it. */
const task = 'put back';

export function withPutBack(registry: Registry): Registry {
  return { ...registry, tasks: new Map([...registry.tasks, [task, putBack]]) };
}

/** One play for each role; what was changed last is put back first. */
export function rollbackPlays(options: RollbackOptions, fleet: Fleet, registry: Registry): readonly BoundPlay[] {
  const roles = [...new Set(options.hosts.map(({ role }) => role))].sort(
    (one, other) => lastBatch(other, options) - lastBatch(one, options),
  );
  return roles.map((role, number) => {
    const hosts = options.hosts.filter((host) => host.role === role);
    const undone = (name: string) => undoneOn(name, options);
    return {
      name: `Put back: ${role}s`,
      serial: [{ hosts: 1 }],
      gate: role === 'director' && fleet.vrrp ? gateOf(number, registry) : [],
      steps: Object.fromEntries(hosts.map(({ name }) => [name, [stepOf(name, number, undone(name), options)]])),
      handlers: Object.fromEntries(hosts.map(({ name }) => [name, handlersOf(undone(name)).map(boundHandler)])),
      checks: [],
    };
  });
}

function undoneOn(name: string, { kept, undo }: RollbackOptions): readonly KeptRun[] {
  return kept.find(({ host }) => host === name)?.runs.filter(({ run }) => undo.includes(run)) ?? [];
}

/** Of the latest run that changed a file on a host of the role: which part of its rollout that was. */
function lastBatch(role: Role, options: RollbackOptions): number {
  const latest = options.undo.at(-1);
  const hosts = options.hosts.filter((host) => host.role === role);
  const runs = hosts.flatMap(({ name }) => undoneOn(name, options).filter(({ run }) => run === latest));
  return Math.max(-1, ...runs.flatMap(({ files }) => files.map(({ batch }) => batch)));
}

function stepOf(host: string, play: number, undone: readonly KeptRun[], { run, kept, force }: RollbackOptions): Step {
  const want: PutBackWant = {
    run,
    undo: undone.map(({ version }) => version),
    newest: kept.find((each) => each.host === host)?.newest ?? '',
    files: [...new Set(undone.flatMap(({ files }) => files.map(({ path }) => path)))],
    handlers: handlersOf(undone).map(({ name, kept: place }) => ({ name, kept: place })),
    force,
  };
  return { id: `${play}.0`, host, play, name: 'files as they were', task, want, notify: [], where: {} };
}

/** As the latest run had them, in its order; those that only earlier ones had come after. */
function handlersOf(undone: readonly KeptRun[]): readonly KeptHandler[] {
  const byName = new Map<string, KeptHandler>();
  for (const { handlers } of undone.toReversed())
    for (const handler of [...handlers].sort((one, other) => one.order - other.order))
      if (!byName.has(handler.name)) byName.set(handler.name, handler);
  return [...byName.values()];
}

/** The host runs what it has kept itself. Without `unless`: what is put back is older than the process that is to read it. */
function boundHandler({ name, kept, timeout, reboots, validates }: KeptHandler): BoundHandler {
  const part = (which: string) => lines(useVersions, sh`version_handles ${kept} ${which}`);
  const handler: Handler = {
    kept,
    run: part('run'),
    timeout,
    ...(validates && { validate: part('validate') }),
    ...(reboots > 0 && { reboots }),
  };
  return { name, listen: [], handler };
}

/** What holds whatever the inventory says by now: a director that does not serve is not followed by the next one. */
function gateOf(play: number, registry: Registry): readonly BoundCheck[] {
  const check = 'keepalived_service';
  const definition = registry.checks.get(check);
  if (!definition) return [];
  const entry = {
    ...{ name: 'keepalived runs with what was put back', check, when: [], vars: [], where: {} },
    params: { value: {}, place: () => ({}) },
  };
  return [{ id: `${play}.gate.0`, entry, definition, want: {} }];
}
