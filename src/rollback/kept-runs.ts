/** Which runs have changed files on which hosts, and what of that is to be put back. Pure, but for the question that the hosts are asked. */
import { historyScript, type PastRun, parseHistory } from '../apply/history.ts';
import { EXIT, LvsError } from '../errors.ts';
import { preamble } from '../sh/frame.ts';
import { clean } from '../tasks/support/before-records.ts';
import { versionsText } from '../versions/versions.ts';

/** Asks a host for all that is below. */
export const keptRunsScript = `{
${preamble}
${versionsText}
list_versions
${historyScript}
exit 0
}
`;

export interface KeptHandler {
  readonly name: string;
  /** Where it is kept: `NUMBER-RUN/handlers/FILE`. */
  readonly kept: string;
  /** Handlers of a run are run in the order of this number. */
  readonly order: number;
  readonly timeout: number;
  /** Seconds; 0: it does not reboot the host. */
  readonly reboots: number;
  readonly validates: boolean;
}

/** A run that has changed files of one host. */
export interface KeptRun {
  readonly run: string;
  /** Its folder, `NUMBER-RUN`. */
  readonly version: string;
  /** By the host's clock. */
  readonly at: string;
  readonly files: readonly { readonly path: string; readonly batch: number }[];
  readonly handlers: readonly KeptHandler[];
}

export interface KeptHost {
  readonly host: string;
  /** The oldest first. */
  readonly runs: readonly KeptRun[];
  /** Folder of the last one, whether it has changed anything so far or not; empty where there is none. */
  readonly newest: string;
  /** When the last run was that is kept no more; empty where all are. */
  readonly pruned: string;
  readonly history: readonly PastRun[];
}

/** A host's words: what has another form is left out. */
export function parseKeptRuns(host: string, stdout: string): KeptHost {
  const runs: { run: string; version: string; at: string; files: { path: string; batch: number }[]; handlers: KeptHandler[] }[] = [];
  for (const line of stdout.split('\n')) {
    const [, version = '', run = ''] = /^version (\d{6}-([\w.-]{1,80}))$/.exec(line) ?? [];
    if (version !== '') runs.push({ run, version, at: '', files: [], handlers: [] });
    const last = runs.at(-1);
    if (!last) continue;
    const [, at] = /^at (\d{4}-[\d:TZ-]{1,20})$/.exec(line) ?? [];
    if (at !== undefined) last.at = at;
    const [, batch, path] = /^file (\d{1,4}) (\/.+)$/.exec(line) ?? [];
    if (path !== undefined && path === clean(path)) last.files.push({ path, batch: Number(batch) });
    const [, timeout, reboots, valid, file = ''] = /^handler (\d{1,6}) (\d{1,6}) (yes|no) (\d+-[\w.!~*'()%-]{1,200})$/.exec(line) ?? [];
    const name = decoded(file.replace(/^\d+-/, ''));
    if (name !== undefined && name !== '' && name === clean(name)) {
      const kept = `${last.version}/handlers/${file}`;
      const numbers = { order: Number.parseInt(file, 10), timeout: Number(timeout), reboots: Number(reboots) };
      last.handlers.push({ name, kept, ...numbers, validates: valid === 'yes' });
    }
  }
  const pruned = /^pruned (\d{4}-[\d:TZ-]{1,20})$/m.exec(stdout)?.[1] ?? '';
  const newest = runs.at(-1)?.version ?? '';
  return { host, newest, runs: runs.filter(({ files }) => files.length > 0), pruned, history: parseHistory(stdout) };
}

/** Where things are to be again: as they were right after a run, or before one; absent: before the last one. */
export interface Goal {
  readonly to?: string | undefined;
  readonly before?: string | undefined;
}

/** A run on however many hosts. */
interface ClusterRun {
  readonly run: string;
  readonly at: string;
}

/** What is undone on all hosts. */
export interface Undoing {
  /** The oldest of the runs: things will be as they were before it. Undefined: there is nothing to undo. */
  readonly oldest: string | undefined;
  /** Ids, the oldest first. */
  readonly runs: readonly string[];
}

/** Throws LvsError (exit 4) where that cannot be said, or where a host does not keep enough. */
export function undoing(hosts: readonly KeptHost[], { to, before }: Goal): Undoing {
  const runs = clusterRuns(hosts);
  const last = runs.at(-1);
  if (!last) throw bad('no run that changed files is kept on these hosts, so there is nothing to roll back', 'see "lvsctl history"');
  const named = to ?? before ?? last.run;
  if (to === undefined && before === undefined) refuseToUndoARollback(last.run, hosts);
  const at = runs.findIndex(({ run }) => run === named);
  if (at < 0) throw bad(`no run ${named} is kept on these hosts`, `those that are: ${runs.map(({ run }) => run).join(', ')}`);
  const chosen = runs.slice(to === undefined ? at : at + 1);
  const [oldest] = chosen;
  if (oldest) refusePruned(hosts, oldest);
  return { oldest: oldest?.run, runs: chosen.map(({ run }) => run) };
}

/** By the clock of the host that it came to first; on one host their order is known. */
export function clusterRuns(hosts: readonly KeptHost[]): readonly ClusterRun[] {
  const first = new Map<string, string>();
  for (const { run, at } of hosts.flatMap(({ runs }) => runs)) if (at < (first.get(run) ?? '~')) first.set(run, at);
  const before = (one: string, other: string): boolean =>
    hosts.some(({ runs }) => {
      const [a, b] = [one, other].map((run) => runs.findIndex((each) => each.run === run)) as [number, number];
      return a >= 0 && b >= 0 && a < b;
    });
  return [...first]
    .map(([run, at]) => ({ run, at }))
    .sort((one, other) =>
      before(one.run, other.run) ? -1 : before(other.run, one.run) ? 1 : one.at < other.at ? -1 : one.at > other.at ? 1 : 0,
    );
}

/** Who did it, and with which words, as the hosts have it in their history. */
export function wordsOf(run: string, hosts: readonly KeptHost[]): string {
  const past = hosts.flatMap(({ history }) => history).find((each) => each.run === run);
  return past ? `${past.command} by ${past.who} at ${past.at}` : 'of which no more is known';
}

/** Whether it was cut off or whole, another one right after it would as likely be meant to go on as to take it back. */
function refuseToUndoARollback(run: string, hosts: readonly KeptHost[]): void {
  const command = hosts.flatMap(({ history }) => history).find((each) => each.run === run)?.command ?? '';
  if (!/^lvsctl rollback /.test(command)) return;
  throw bad(
    `the last run (${run}) was a rollback itself: ${command}`,
    `say "--before ${run}" to undo it; the command above goes on with it where it was cut off`,
  );
}

function refusePruned(hosts: readonly KeptHost[], { run, at }: ClusterRun): void {
  const gone = hosts.filter((host) => host.pruned !== '' && host.pruned >= at && !host.runs.some((each) => each.run === run));
  const [first] = gone;
  if (!first) return;
  const names = gone.map(({ host }) => host).join(', ');
  throw bad(`${names} ${gone.length === 1 ? 'does' : 'do'} not keep what was there before ${run} any more`, 'name a later run');
}

function bad(message: string, hint: string): LvsError {
  return new LvsError(message, { code: 'rollback', exitCode: EXIT.badInput, hint });
}

function decoded(file: string): string | undefined {
  try {
    return decodeURIComponent(file);
  } catch {
    return undefined;
  }
}
