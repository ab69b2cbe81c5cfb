/** `lvsctl teardown`: takes away what deploys have added, in the order in which nobody is sent where nothing is any more. */
import { EXIT, LvsError } from '../../errors.ts';
import { selectHosts } from '../../inventory/select.ts';
import type { Fleet } from '../../model.ts';
import { confirm } from '../confirm.ts';
import type { CommonFlags } from '../flags.ts';
import { list, wantsList } from '../list.ts';
import { perform } from '../perform.ts';
import { openSession, ownPlaybook } from '../session.ts';

export interface TeardownFlags extends CommonFlags {
  readonly force?: boolean;
}

export async function teardown(file: string, given: TeardownFlags): Promise<void> {
  const flags = { ...given, extraVars: [JSON.stringify({ force: given.force ?? false }), ...(given.extraVars ?? [])] };
  const books = { plays: flags.playbook ?? ownPlaybook('teardown') };
  if (wantsList(flags)) return list('teardown', file, flags, books);
  const flow = await openSession(file, flags, { ...books, puttingBack: true });
  if (flags.playbook === undefined) refuseServing(flow.fleet, flags.limit);
  await perform({ command: 'teardown', flow, flags, confirm: async (soFar, plan) => !flags.check && confirm(soFar, plan, flags) });
}

/** A real server that a director still sends clients to is not taken away from under it. */
export function refuseServing(fleet: Fleet, limit: string): void {
  const chosen = new Set(selectHosts(fleet, limit).map(({ name }) => name));
  if (fleet.hosts.every(({ role, name }) => role !== 'director' || chosen.has(name))) return;
  const used = new Set(fleet.services.flatMap(({ realServers }) => realServers.map(({ host }) => host)));
  const serving = [...chosen].filter((name) => used.has(name));
  if (serving.length === 0) return;
  throw new LvsError(`${serving.join(', ')} would go away while directors send clients there`, {
    code: 'teardown.serving',
    exitCode: EXIT.badInput,
    hint: 'take it out of "backends" of every service and deploy first; or tear down all directors with it',
  });
}
