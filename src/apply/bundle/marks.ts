/** Handlers that run on another host than the change that notifies them: the mark that one is owed lies where it will run. */
import { EXIT, LvsError } from '../../errors.ts';
import { pendingFile, pendingFolder } from '../../probe/traces.ts';
import { preamble } from '../../sh/frame.ts';
import { lines, renderSh, type Sh, sh } from '../../sh/sh.ts';
import { awayAtMost, overLines } from '../../transport/reopen.ts';
import { runScript } from '../../transport/run-script.ts';
import type { Connection } from '../../transport/transport.ts';
import type { Item } from './items.ts';
import type { BundleResult } from './run-bundle.ts';

/** A handler that a change notifies, and the host on which it will run. */
export interface Debt {
  readonly host: string;
  readonly handler: string;
}

/** Of handlers that run elsewhere, those that these changes notify. */
export function owedFor(items: readonly Item[], elsewhere: readonly Debt[]): readonly Debt[] {
  return elsewhere.filter(({ handler }) => items.some(({ change }) => change.notify?.includes(handler)));
}

/** What came to nothing owes nothing. A host of which no more was heard may have gone on. */
export function unneeded(marked: readonly Debt[], items: readonly Item[], { outcomes, failed }: BundleResult): readonly Debt[] {
  const nothing = failed.includes('top') ? ['already'] : ['already', 'not-run'];
  const made = items.filter(({ staging }, index) => !staging && !nothing.includes(outcomes[index]?.result ?? ''));
  const owed = owedFor(made, marked);
  return marked.filter((debt) => !owed.includes(debt));
}

type Connections = ReadonlyMap<string, Connection>;

/** Before the change. Returns those that nobody owed before. Throws LvsError where one cannot be left: then the change is not to be made. */
export async function leaveMarks(debts: readonly Debt[], connections: Connections): Promise<readonly Debt[]> {
  const left: Debt[] = [];
  for (const debt of debts) {
    const { stdout } = await done(debt, connections, (mark) =>
      lines(
        sh`mkdir -p ${pendingFolder} || exit 1`,
        // On disk before the change is: the power may go at any moment.
        sh`[ -e ${mark} ] || { printf '' >${mark} && { sync -- ${pendingFolder} ${mark} 2>/dev/null || sync; } && printf '\nowed\n'; } || exit 1`,
      ),
    );
    if (/^owed$/m.test(stdout)) left.push(debt);
  }
  return left;
}

/** Of changes that were not made after all. One that cannot be taken away has its handler run once too often. */
export async function takeMarks(debts: readonly Debt[], connections: Connections): Promise<void> {
  for (const debt of debts) await done(debt, connections, (mark) => sh`rm -f -- ${mark} || exit 1`).catch(() => undefined);
}

async function done({ host, handler }: Debt, connections: Connections, script: (mark: string) => Sh): Promise<{ readonly stdout: string }> {
  const connection = connections.get(host);
  if (!connection) throw new Error(`no connection to ${host}`);
  const text = `{\n${preamble}\n${renderSh(script(`${pendingFolder}/${pendingFile(handler)}`), String)}\nexit 0\n}\n`;
  const result = await overLines(connection, awayAtMost, async () => {
    const once = await runScript(connection, text, { timeout: 30, limit: 65_536 });
    if (once.exit === null) throw new LvsError(`${host}: the line broke`, { code: 'ssh.lost', exitCode: EXIT.unreachable });
    return once;
  });
  if (result.exit === 0) return result;
  throw new LvsError(`${host}: it cannot be noted that the handler ${handler} is owed: ${result.stderr.trim().slice(0, 300)}`, {
    code: 'apply.mark',
    exitCode: EXIT.taskFailed,
    hint: `nothing of this was begun; see whether ${pendingFolder} can be written there`,
  });
}
