/**
 * Before lvsctl first changes a host, the files that it will touch there are copied to the control machine: what a host keeps of itself is
 * lost with it. One script, once in the life of a host. It is a precaution, not a condition: the host keeps them too.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Event, Plan, Seen } from '../model.ts';
import { needsWork } from '../plan/batches.ts';
import { newNonce, preamble } from '../sh/frame.ts';
import { renderSh, sh } from '../sh/sh.ts';
import { runScript } from '../transport/run-script.ts';
import type { Connection } from '../transport/transport.ts';
import type { Store } from './artefacts/store.ts';

export interface FirstCopyOptions {
  readonly runId: string;
  readonly connections: ReadonlyMap<string, Connection>;
  readonly store: Store;
  readonly emit: (event: Event) => void;
}

export interface FirstCopies {
  /** What the plan changes, on hosts of which this run has copied nothing so far. `seen` says which lvsctl has changed before. */
  copy(plan: Plan, seen: Readonly<Record<string, Seen>>): Promise<void>;
  /** A sentence for each host of which nothing could be copied. */
  readonly notes: readonly string[];
}

export function newFirstCopies(options: FirstCopyOptions): FirstCopies {
  const begun = new Set<string>();
  const notes: string[] = [];
  const copyOne = async (host: string, paths: readonly string[], cluster: string): Promise<void> => {
    const connection = options.connections.get(host);
    if (!connection || begun.has(host)) return;
    begun.add(host);
    try {
      options.emit({ kind: 'host', host, doing: 'copy what will be changed' });
      await copyHost(connection, paths, join(options.store.directory, 'before', cluster, host), options.runId);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      notes.push(`${host}: what was there before the first change could not be copied to this machine (${reason}); the host keeps it`);
    }
  };
  return {
    notes,
    async copy(plan, seen) {
      const strange = [...filesByHost(plan)].filter(([host]) => isStrange(seen[host]));
      await Promise.all(strange.map(([host, paths]) => copyOne(host, paths, plan.cluster)));
    },
  };
}

function isStrange(seen: Seen | undefined): boolean {
  return seen?.reached === true && !seen.traces?.known;
}

/** What the steps that have work touch, by the host on which they are done. */
function filesByHost({ batches }: Plan): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, string[]>();
  for (const { host, steps } of batches.flatMap(({ hosts }) => hosts))
    for (const { step, touches = [] } of steps.filter(needsWork)) {
      const paths = touches.flatMap(({ resource }) => /^file:\/(\P{Cc}+)$/u.exec(resource)?.[1] ?? []);
      files.set(step.on ?? host, [...(files.get(step.on ?? host) ?? []), ...paths]);
    }
  return new Map([...files].filter(([, paths]) => paths.length > 0).map(([host, paths]) => [host, [...new Set(paths)]]));
}

async function copyHost(connection: Connection, paths: readonly string[], folder: string, run: string): Promise<void> {
  const nonce = newNonce();
  const { stdout } = await runScript(connection, firstCopyScript(paths, nonce), { timeout: 120 });
  const [, answer] = stdout.split(`\n${nonce}\n`);
  if (answer === undefined) throw new Error('the host has no tar or no base64, or did not answer');
  if (answer === 'none') return;
  const archive = Buffer.from(answer, 'base64');
  // It ends with two blocks of nothing.
  if (archive.length < 1024 || archive.subarray(-1024).some((byte) => byte !== 0)) throw new Error('it did not arrive whole');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, `${run}.tar`), archive, { mode: 0o600, flag: 'wx' });
}

/** Files of at most a mebibyte, with owner and mode, as a tar archive from /. */
function firstCopyScript(paths: readonly string[], nonce: string): string {
  const body = sh`cd / || exit 1
set -- ${paths}
count=$#
for each do
  if { [ -L "$each" ] || [ -f "$each" ]; } && [ "$(stat -c %s -- "$each")" -le 1048576 ]; then set -- "$@" "$each"; fi
done
shift "$count"
if [ $# -eq 0 ]; then
  printf '\n%s\nnone\n%s\n' ${nonce} ${nonce}
elif command -v tar >/dev/null && command -v base64 >/dev/null; then
  printf '\n%s\n' ${nonce}
  tar -cf - -- "$@" | base64
  printf '%s\n' ${nonce}
fi`;
  return `{\n${preamble}\n${renderSh(body, String)}\nexit 0\n}\n`;
}
