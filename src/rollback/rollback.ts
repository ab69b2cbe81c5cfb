/** From the hosts' word on what they have kept to the plays that put it back. */
import { EXIT, LvsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import type { Host } from '../model.ts';
import { askHosts } from '../transport/ask-hosts.ts';
import { type Goal, type KeptHost, keptRunsScript, parseKeptRuns, type Undoing, undoing } from './kept-runs.ts';
import { rollbackPlays, withPutBack } from './plays.ts';

export interface Wanted extends Goal {
  readonly force: boolean;
}

export interface Rollback extends Undoing {
  readonly kept: readonly KeptHost[];
  /** What is another thing in the flow of a rollback. */
  readonly flow: Pick<Flow, 'registry' | 'bind' | 'checks' | 'keepAll'>;
}

/** Changes nothing. Throws LvsError: exit 4 where there is nothing to undo, exit 5 where that cannot be known. */
export async function rollbackOf(
  hosts: readonly Host[],
  wanted: Wanted,
  flow: Omit<Flow, 'command' | 'emit' | 'confirm'>,
): Promise<Rollback> {
  const { kept, silent } = await askHosts(hosts, flow, async (asking) => ({
    kept: (await asking.ask(keptRunsScript)).map(({ host, stdout }) => parseKeptRuns(host, stdout)),
    silent: asking.silent.map(({ host, said }) => `${host}: ${said}`),
  }));
  if (silent.length > 0 && wanted.to === undefined && wanted.before === undefined) refuseSilent(silent);
  const undone = undoing(kept, wanted);
  const registry = withPutBack(flow.registry);
  const plays = rollbackPlays({ run: flow.runId, hosts, kept, undo: undone.runs, force: wanted.force }, flow.fleet, registry);
  return { ...undone, kept, flow: { registry, bind: () => plays, checks: [], keepAll: true } };
}

/** The last run may be known there alone. */
function refuseSilent(silent: readonly string[]): never {
  throw new LvsError(`which run was the last is not known while a host does not answer: ${silent.join('; ')}`, {
    ...{ code: 'rollback.silent', exitCode: EXIT.unreachable },
    hint: 'name the run ("--before RUN", see "lvsctl history"), or leave the host out with --limit',
  });
}
