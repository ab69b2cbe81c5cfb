/** `lvsctl history`: who has changed what on the hosts, and when, as the hosts themselves have kept it. */
import pLimit from 'p-limit';
import { historyScript, type PastRun, parseHistory } from '../../apply/history.ts';
import { EXIT } from '../../errors.ts';
import { selectHosts } from '../../inventory/select.ts';
import { reach } from '../../transport/reach.ts';
import { runScript } from '../../transport/run-script.ts';
import { printable } from '../../view/printable.ts';
import type { CommonFlags } from '../flags.ts';
import { openSession } from '../session.ts';

export interface HistoryFlags extends CommonFlags {
  /** Runs to show. */
  readonly last: number;
}

/** What one run did, on all hosts that answer. */
interface ClusterRun extends Omit<PastRun, 'changes' | 'kept'> {
  /** It changed files, and "lvsctl rollback --before RUN" knows how they were. */
  readonly kept: boolean;
  readonly hosts: readonly { readonly host: string; readonly changes: PastRun['changes'] }[];
}

export async function history(file: string, flags: HistoryFlags): Promise<void> {
  const session = await openSession(file, flags, {});
  const hosts = selectHosts(session.fleet, flags.limit);
  const limit = pLimit(session.forks);
  const lines = await reach(hosts, session.transport, limit);
  try {
    const asked = [...lines.connections].map(([host, connection]) =>
      limit(async () => ({ host, runs: parseHistory((await runScript(connection, historyScript, { timeout: 60 })).stdout) })),
    );
    const runs = together(await Promise.all(asked)).slice(-flags.last);
    const silent = Object.values(lines.unreached).flatMap((one) => (one.reached ? [] : [`${one.host}: ${one.reason}`]));
    const text = flags.json
      ? JSON.stringify(runs, null, 2)
      : [...runs.flatMap((run) => shown(run, flags.verbose > 0)), ...silent].join('\n');
    process.stdout.write(text === '' ? 'nothing has been changed here by lvsctl\n' : `${text}\n`);
    if (silent.length > 0) process.exitCode = EXIT.unreachable;
  } finally {
    lines.close();
  }
}

/** One entry for a run on however many hosts, the latest last. */
export function together(found: readonly { readonly host: string; readonly runs: readonly PastRun[] }[]): readonly ClusterRun[] {
  const byRun = new Map<string, ClusterRun>();
  for (const { host, runs } of found)
    for (const { changes, kept = false, ...run } of runs) {
      const before = byRun.get(run.run);
      const at = before && before.at < run.at ? before.at : run.at;
      byRun.set(run.run, { ...run, at, kept: kept || (before?.kept ?? false), hosts: [...(before?.hosts ?? []), { host, changes }] });
    }
  return [...byRun.values()].sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
}

function shown({ at, run, who, command, kept, hosts }: ClusterRun, whole: boolean): readonly string[] {
  const lines = hosts.flatMap(({ host, changes }) => {
    const failed = changes.filter(({ result }) => result === 'failed');
    const told = whole ? changes : failed;
    return [
      `    ${host}: ${changes.length - failed.length} done${failed.length > 0 ? `, ${failed.length} failed` : ''}`,
      ...told.map(({ at: when, result, title }) => `        ${when.slice(11, 19)} ${result}: ${title}`),
    ];
  });
  return [`${at}  ${run}  ${who}  ${command}${kept ? '  (can be rolled back)' : ''}`, ...lines].map(printable);
}
