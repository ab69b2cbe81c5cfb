/**
 * What was done to a host, by whom, and when: a file of its own there, for whichever control machine asks, and a line in its syslog for each
 * run. It is a record, not a condition: where it cannot be written, the run goes on.
 */
import { quote } from '../sh/sh.ts';
import type { LockOwner } from './lock/lock-script.ts';

/** A teardown that leaves nothing of lvsctl takes it away. */
export const logFolder = '/var/log/lvsctl';

/** One run on one host. */
export interface PastRun {
  readonly run: string;
  /** `2026-11-27T16:02:11Z`, by the host's clock. */
  readonly at: string;
  /** `root@control`. */
  readonly who: string;
  readonly command: string;
  readonly changes: readonly PastChange[];
  /** What it replaced of files is still there, for a rollback. */
  readonly kept?: boolean;
}

export interface PastChange {
  readonly at: string;
  readonly result: 'done' | 'failed';
  readonly title: string;
}

/** Shell for the moment in which a run takes a host. The file is kept below a megabyte, or its last 2,000 lines. */
export function noteRun({ run, who, command }: LockOwner): string {
  const [line, said] = [[run, who, command].map(oneLine), `run ${run} by ${who}: ${command}`];
  const file = `${logFolder}/history`;
  return `if mkdir -p ${logFolder} && chmod 700 ${logFolder}; then
[ -z "$(find ${file} -size +1000k 2>/dev/null)" ] || { tail -n 2000 ${file} >${file}.new && mv -f ${file}.new ${file}; }
printf 'run\\t%s\\t%s\\t%s\\t%s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" ${line.map(quote).join(' ')} >>${file}
fi 2>/dev/null
! command -v logger >/dev/null || logger -t lvsctl -- ${quote(oneLine(said))} 2>/dev/null`;
}

/** Prints the end of the file, and which runs can be rolled back. */
export const historyScript = `[ ! -r ${logFolder}/history ] || tail -n 2000 ${logFolder}/history
for each in /var/lib/lvsctl/versions/??????-*; do [ ! -d "$each" ] || printf 'kept\\t\\t%s\\n' "\${each#*/versions/??????-}"; done`;

/** The oldest first; lines of another form are left out. */
export function parseHistory(text: string): readonly PastRun[] {
  const runs: { run: string; at: string; who: string; command: string; changes: PastChange[]; kept?: boolean }[] = [];
  for (const line of text.split('\n')) {
    const [kind, at = '', id = '', ...words] = line.split('\t');
    if (kind === 'run' && words.length === 2) {
      const [who = '', command = ''] = words;
      runs.push({ run: id, at, who, command, changes: [] });
    } else if ((kind === 'done' || kind === 'failed') && words.length === 1) {
      // The last of its name: a run may take a host more than once.
      const owner = runs.findLast(({ run }) => id.startsWith(`${run}-`));
      owner?.changes.push({ at, result: kind, title: words[0] ?? '' });
    } else if (kind === 'kept') for (const each of runs.filter(({ run }) => run === id)) each.kept = true;
  }
  return runs;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 1000);
}
