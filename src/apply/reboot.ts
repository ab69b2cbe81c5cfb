/** Runs a bundle in which the host reboots: in a part of its own up to there, and the rest on the new boot, over a new line. */
import { setTimeout as pause } from 'node:timers/promises';
import { EXIT, LvsError } from '../errors.ts';
import type { Outcome } from '../model.ts';
import { newNonce } from '../sh/frame.ts';
import { isFinal } from '../transport/reopen.ts';
import { runScript } from '../transport/run-script.ts';
import type { Connection } from '../transport/transport.ts';
import type { Bundle, Job } from './bundle/bundle.ts';
import { type BundleResult, type FollowOptions, runBundle } from './bundle/run-bundle.ts';

export interface RebootOptions extends FollowOptions {
  /** Throws where the host is not this run's any more. Asked before anything is sent to it, on each of its boots. */
  readonly check: () => Promise<void>;
}

/**
 * As `runBundle`, which does it all where nothing reboots. A host that does not come back, or comes back as somebody else's, has failed,
 * whatever would rescue it. Throws what `check` throws before the first part.
 */
export async function runAcrossReboots(connection: Connection, bundle: Bundle, options: RebootOptions): Promise<BundleResult> {
  await options.check();
  const at = bundle.jobs.findIndex(({ reboots }) => reboots !== undefined);
  const within = bundle.jobs[at]?.reboots;
  if (within === undefined) return runBundle(connection, bundle, options);
  const before = await lookAt(connection);
  const { outcomes, failed } = await runBundle(connection, { ...bundle, jobs: bundle.jobs.slice(0, at + 1) }, options);
  const told = outcomes[at];
  const reboot = told?.result === 'done' ? await acrossReboot(connection, told, before.boot, within, options) : told;
  const first = reboot ? outcomes.with(at, reboot) : outcomes;
  const left = bundle.jobs.slice(at + 1).map((job) => moved(job, first));
  if (reboot !== told && reboot?.result === 'failed') return { outcomes: [...first, ...left.map(notRun)], failed: [...failed, 'top'] };
  if (left.length === 0 || options.stop?.aborted) return { outcomes: [...first, ...left.map(notRun)], failed };
  const rest = await goOn(connection, { id: `${bundle.id}-on`, nonce: newNonce(), jobs: left, failed }, options);
  return { outcomes: [...first, ...rest.outcomes], failed: rest.failed };
}

/** What was done before the reboot is told in any case. */
async function goOn(connection: Connection, rest: Bundle, options: RebootOptions): Promise<BundleResult> {
  try {
    return await runAcrossReboots(connection, rest, options);
  } catch (error) {
    if (!(error instanceof LvsError)) throw error;
    const [next, ...others] = rest.jobs.map(notRun);
    const output = [error.message, error.hint].filter(Boolean).join('; ');
    options.emit({ kind: 'end', host: connection.host.name, title: next?.title ?? '', result: 'failed', detail: output, seconds: 0 });
    const refused: readonly Outcome[] = next ? [{ ...next, result: 'failed', exit: -1, output }] : [];
    return { outcomes: [...refused, ...others], failed: [...(rest.failed ?? []), 'top'] };
  }
}

/** A handler of the later part, told what came of the changes before it. */
function moved(job: Job, outcomes: readonly Outcome[]): Job {
  if (job.after === undefined || job.after === 'always') return job;
  if (job.after.some((number) => outcomes[number]?.result === 'done')) return { ...job, after: 'always' };
  const later = job.after.filter((number) => number >= outcomes.length).map((number) => number - outcomes.length);
  return { ...job, after: later.length > 0 ? later : nothing };
}

/** The number of no job: a handler that waits for it does not run. */
const nothing = [-1];

function notRun({ title }: Job): Outcome {
  return { title, result: 'not-run', exit: 0, output: '', seconds: 0 };
}

async function acrossReboot(
  connection: Connection,
  reboot: Outcome,
  boot: string,
  within: number,
  { emit }: FollowOptions,
): Promise<Outcome> {
  const host = connection.host.name;
  const title = 'wait until the host is back';
  const began = Date.now();
  const seconds = (): number => reboot.seconds + (Date.now() - began) / 1000;
  emit({ kind: 'begin', host, title });
  try {
    await untilBack(connection, boot, began + within * 1000);
    emit({ kind: 'end', host, title, result: 'done', detail: '', seconds: seconds() });
    return { ...reboot, seconds: seconds() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const output = `it was told to reboot and is not back after ${Math.round(seconds())} s: ${error.message}`;
    emit({ kind: 'end', host, title, result: 'failed', detail: output, seconds: seconds() });
    return { ...reboot, result: 'failed', exit: -1, output, seconds: seconds() };
  }
}

/** Milliseconds for what is started at boot; what takes longer is not waited for. */
const startup = 120_000;

/** Returns when the host answers in another boot and has started. Throws the reason, when that does not come about before `deadline`. */
async function untilBack(connection: Connection, boot: string, deadline: number): Promise<void> {
  if (!connection.renew) throw new Error('this line cannot be opened again');
  await lineEnds(connection, Math.min(60_000, deadline - Date.now()));
  let last: unknown = new Error('it never went down');
  let started = deadline;
  while (Date.now() < deadline) {
    try {
      await connection.renew();
      const now = await lookAt(connection);
      if (now.boot !== boot) started = Math.min(started, Date.now() + startup);
      if (now.boot !== boot && (!now.busy || Date.now() > started)) return;
      await pause(1000);
    } catch (error) {
      // A host that boots may turn users away for a while; one that shows another key is not the one that went down.
      if (!(error instanceof LvsError) || isFinal(error)) throw error;
      last = error;
      await pause(error.code === 'ssh.refused' ? 5000 : 1000);
    }
  }
  throw last;
}

/** Keeps a shell open, and with it the line, until the host lets go of it. */
async function lineEnds(connection: Connection, patience: number): Promise<void> {
  const channel = await connection.shell().catch(() => undefined);
  if (!channel) return;
  channel.stdout.resume();
  channel.stderr.resume();
  const over = new AbortController();
  await Promise.race([channel.ended, pause(patience, undefined, { signal: over.signal }).catch(() => {})]);
  over.abort();
  channel.close();
}

const question = `read -r id </proc/sys/kernel/random/boot_id
printf '\\nboot %s %s\\n' "$id" "$(systemctl is-system-running 2>/dev/null)"`;

/** Which boot it is, and whether it still goes up or down. */
async function lookAt(connection: Connection): Promise<{ readonly boot: string; readonly busy: boolean }> {
  const { stdout } = await runScript(connection, question, { timeout: 30 });
  const [, boot, state = ''] = /^boot ([0-9a-f-]{36}) (\S*)$/m.exec(stdout) ?? [];
  if (boot === undefined) {
    throw new LvsError('the host does not say which boot it is in', { code: 'reboot.boot-id', exitCode: EXIT.unreachable });
  }
  return { boot, busy: /^(initializing|starting|stopping)$/.test(state) };
}
