/**
 * Which hosts failed when they were last deployed to: what `--limit @failed` means. A file per inventory in the user's state folder, for
 * nobody else to read; it holds names of hosts, never what was done on them.
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { EXIT, LvsError } from '../errors.ts';
import { termsOf } from '../inventory/hosts/match-pattern.ts';
import type { Fleet, Report } from '../model.ts';

/** The word in a pattern. */
const failedWord = '@failed';

const form = z.strictObject({ inventory: z.string(), failed: z.record(z.string(), z.string()) });

/** Of the fleet or of its rehearsal: they fail apart. */
interface Which {
  readonly fleet: Fleet;
  readonly lab: boolean;
}

/** Host name → id of the run in which it failed; undefined where no run is remembered. */
function read(which: Which): Readonly<Record<string, string>> | undefined {
  try {
    return form.parse(JSON.parse(readFileSync(stateFile(which), 'utf8'))).failed;
  } catch {
    // Not there, or not ours to understand any more: nothing is known.
    return undefined;
  }
}

/** Notes each host that failed, and forgets those that did not; hosts that this run did not touch stay as they were. */
export function rememberRun(which: Which, { runId, hosts }: Pick<Report, 'runId' | 'hosts'>): void {
  const failed = new Map(Object.entries(read(which) ?? {}));
  for (const { name, status } of hosts) {
    if (status === 'failed' || status === 'unreachable') failed.set(name, runId);
    else if (status !== 'change') failed.delete(name);
  }
  const file = stateFile(which);
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const part = `${file}.${process.pid}`;
  writeFileSync(part, `${JSON.stringify({ inventory: resolve(which.fleet.file), failed: Object.fromEntries(failed) }, null, 2)}\n`, {
    mode: 0o600,
  });
  renameSync(part, file);
}

/** The fleet, with a group of those hosts where the pattern asks for it. Throws LvsError (exit 4) where no run is remembered. */
export function withFailed(which: Which, pattern: string): Fleet {
  if (!termsOf(pattern).some((term) => term.replace(/^[!&]\s*/, '') === failedWord)) return which.fleet;
  const failed = read(which);
  if (!failed) {
    throw new LvsError(`no deploy of ${which.fleet.file} is remembered, so nothing is known of ${failedWord}`, {
      code: 'cli.no-last-run',
      exitCode: EXIT.badInput,
      hint: 'name the hosts, or deploy to all',
    });
  }
  const hosts = which.fleet.hosts.map(({ name }) => name).filter((name) => Object.hasOwn(failed, name));
  return { ...which.fleet, groups: { ...which.fleet.groups, [failedWord]: hosts } };
}

/** `$XDG_STATE_HOME/lvsctl/`, else under ~/.local/state; two inventories of one name have two files. */
function stateFile({ fleet, lab }: Which): string {
  const folder = join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'lvsctl');
  const path = createHash('sha256').update(resolve(fleet.file)).digest('hex').slice(0, 12);
  return join(folder, `${fleet.cluster}-${path}${lab ? '-lab' : ''}.json`);
}
