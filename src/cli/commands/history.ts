/** `lvsctl history`: who has changed what on the hosts, and when, as the hosts themselves have kept it. */
import { historyScript, type PastRun, parseHistory } from '../../apply/history.ts';
import { EXIT } from '../../errors.ts';
import { printable } from '../../view/printable.ts';
import { say } from '../../view/say.ts';
import { printDocument } from '../document.ts';
import type { CommonFlags } from '../flags.ts';
import { onHosts } from '../on-hosts.ts';

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
  await onHosts(file, flags, async ({ ask, silent }) => {
    const found = (await ask(historyScript)).map(({ host, stdout }) => ({ host, runs: parseHistory(stdout) }));
    const runs = together(found).slice(-flags.last);
    const exitCode = silent.length > 0 ? EXIT.unreachable : EXIT.done;
    if (flags.json) return printDocument('history', exitCode, { runs, unreachable: silent.map(({ host, said }) => ({ host, why: said })) });
    const unreached = silent.map(({ host, said }) => printable(`${host}: ${said}`));
    const text = [...runs.flatMap((run) => shown(run, flags.verbose > 0)), ...unreached].join('\n');
    say(text === '' ? 'nothing has been changed here by lvsctl' : text);
    process.exitCode = exitCode;
  });
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
