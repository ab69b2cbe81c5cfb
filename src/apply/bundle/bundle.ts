/** The part of a plan that one host runs in one go, as one script: the steps laid out, the runner started detached, its journal followed. */
import { readFileSync } from 'node:fs';
import { beforeText } from '../../before/before.ts';
import type { Change, Handler, Tries } from '../../model.ts';
import { pendingFile, pendingFolder } from '../../probe/traces.ts';
import { preamble } from '../../sh/frame.ts';
import { mask } from '../../sh/secret.ts';
import { quote, renderSh, type Sh } from '../../sh/sh.ts';
import { versionsFile } from '../../versions/versions.ts';
import { logFolder } from '../history.ts';
import type { Placed } from './blocks.ts';
import { follow, layOut, noSuchRun, type RunFile, runFolder, startOnce } from './run-folder.ts';

/** One thing the runner does. A handler runs only after a change that it waits for was really made. */
export interface Job {
  readonly title: string;
  readonly run: Sh;
  readonly unless?: Sh;
  readonly validate?: Sh;
  /** Keeps how things are; must exit 0 before anything else may run. */
  readonly keep?: Sh;
  /** Notes how they are afterwards, whatever came of it. */
  readonly note?: Sh;
  /** Puts back what `run` changes; see `Change`. */
  readonly undo?: Sh;
  /** Seconds. */
  readonly timeout: number;
  /** The host goes down after it: seconds until it must be back. */
  readonly reboots?: number;
  /** Absent: a change. Otherwise a handler: numbers of the jobs that notify it, or `always` when an earlier part did. */
  readonly after?: readonly number[] | 'always';
  /** Handlers that it notifies: they are owed from the moment before it runs. */
  readonly owes?: readonly string[];
  /** The handler that it is: owed no more when it has run. */
  readonly pays?: string;
  /** Absent: once. */
  readonly tries?: Tries;
  /** Absent: in no block. */
  readonly placed?: Placed;
}

export interface Bundle {
  /** Names the folder on the host; unique per run and part. */
  readonly id: string;
  readonly nonce: string;
  readonly jobs: readonly Job[];
  /** Frames that failed in earlier parts of the host's run. */
  readonly failed?: readonly string[];
  /** Seconds after which the host puts back what may have shut everybody out, unless it is confirmed; 60 unless said. */
  readonly undoAfter?: number;
}

const runnerText = readFileSync(new URL('./runner.sh', import.meta.url), 'utf8');

/** Where blobs and artefacts lie on a host; kept between runs, root-only. */
export const hostCache = '/var/cache/lvsctl';

/** Default time that a step may take, in seconds. */
export const defaultTimeout = 60;

export function jobOf(change: Change, more: Pick<Job, 'tries' | 'placed' | 'keep' | 'note' | 'owes'> = {}): Job {
  return {
    ...more,
    title: change.title,
    run: change.run,
    ...(change.unless && { unless: change.unless }),
    ...(change.validate && { validate: change.validate }),
    ...(change.undo && { undo: change.undo }),
    timeout: change.timeout ?? defaultTimeout,
    ...(change.reboots !== undefined && { reboots: change.reboots }),
  };
}

export function handlerJob(name: string, handler: Handler, after: readonly number[] | 'always'): Job {
  return {
    title: `handler ${name}`,
    run: handler.run,
    ...(handler.unless && { unless: handler.unless }),
    ...(handler.validate && { validate: handler.validate }),
    timeout: handler.timeout ?? defaultTimeout,
    ...(handler.reboots !== undefined && { reboots: handler.reboots }),
    pays: name,
    after,
  };
}

/**
 * The script for the host's shell: lays the run out, starts it and follows it. `resolve` turns secret slots into values: this text is
 * sent and never shown. Sent again, it starts nothing a second time.
 */
export function bundleScript(bundle: Bundle, resolve: (value: string) => string): string {
  const { id, nonce } = bundle;
  const folder = runFolder(id);
  const environment = [
    `LVSCTL_RUN=${folder}`,
    `LVSCTL_NONCE=${nonce}`,
    `LVSCTL_BLOBS=${hostCache}/blobs`,
    `LVSCTL_ARTEFACTS=${hostCache}/artefacts`,
    `LVSCTL_PENDING=${pendingFolder}`,
    `LVSCTL_LOG=${logFolder}`,
    `LVSCTL_UNDO=${bundle.undoAfter ?? 60}`,
    `LVSCTL_FAILED=${quote((bundle.failed ?? []).map((frame) => `${frame},`).join(''))}`,
  ];
  const stepHead = (number: number): string => `${preamble}
progress() { printf '%s progress ${number} %s %s %s\\n' "$LVSCTL_NONCE" "$1" "$2" "$3" >>"$LVSCTL_RUN/journal"; }
`;
  const steps = bundle.jobs.flatMap((job, number) =>
    (['run', 'unless', 'validate', 'undo'] as const).flatMap((kind): readonly RunFile[] => {
      const fragment = job[kind];
      return fragment ? [{ name: `${number}.${kind}`, text: stepHead(number) + renderSh(fragment, resolve) }] : [];
    }),
  );
  const keeping = bundle.jobs.flatMap((job, number) =>
    (['keep', 'note'] as const).flatMap((kind): readonly RunFile[] =>
      job[kind] ? [{ name: `${number}.${kind}`, text: renderSh(job[kind], resolve) }] : [],
    ),
  );
  const files: readonly RunFile[] = [
    { name: 'list', text: `${bundle.jobs.flatMap(listLines).join('\n')}\n` },
    ...steps,
    ...keeping,
    ...bundle.jobs.flatMap(debts),
    { name: 'nonce', text: `${nonce}\n` },
    { name: 'titles', text: bundle.jobs.map(({ title }) => `${mask(title).replace(/\s+/g, ' ')}\n`).join('') },
    { name: 'before.sh', text: beforeText },
    versionsFile,
    { name: 'runner', text: `${preamble}\nexport ${environment.join(' ')}\n${runnerText}` },
    { name: 'journal', text: '' },
  ];
  return `{
${preamble}
mkdir -p ${hostCache}/blobs ${hostCache}/artefacts && chmod 700 ${hostCache} || exit 1
${layOut(folder, files)}
${startOnce(id)}
${follow(folder, nonce, 0)}
exit 0
}
`;
}

/** Takes up what a broken line has left: follows on from a byte of the journal. Exits 3 when the host has no such run. */
export function attachScript({ id, nonce }: Pick<Bundle, 'id' | 'nonce'>, offset: number): string {
  const folder = runFolder(id);
  return `{
${preamble}
[ -d ${folder} ] || exit ${noSuchRun}
${follow(folder, nonce, offset)}
exit 0
}
`;
}

/**
 * For a connection of its own: the change has shut nobody out. Exits 4 when that comes too late, because the host has put back what was
 * there before.
 */
export function confirmScript(id: string, job: number): string {
  const folder = runFolder(id);
  return `{
${preamble}
ln -s confirmed ${folder}/${job}.decided 2>/dev/null || { [ "$(readlink ${folder}/${job}.decided)" = confirmed ] && exit 0; exit 4; }
[ ! -d /run/systemd/system ] || { read -r try <${folder}/${job}.armed && systemctl -q stop lvsctl-undo-${quote(`${id}-${job}`)}-"$try".timer; } 2>/dev/null
exit 0
}
`;
}

function debts({ owes = [], pays }: Job, number: number): readonly RunFile[] {
  const files = { marks: owes.map(pendingFile), clears: pays === undefined ? [] : [pendingFile(pays)] };
  return Object.entries(files).flatMap(([kind, names]) =>
    names.length > 0 ? [{ name: `${number}.${kind}`, text: names.map((name) => `${name}\n`).join('') }] : [],
  );
}

function listLines(job: Job, number: number): readonly string[] {
  const after = job.after === undefined ? '-' : job.after === 'always' ? 'always' : job.after.join(',');
  const { tries, delay } = job.tries ?? { tries: 1, delay: 0 };
  const closes = job.placed?.closes.map(({ block, rescued, parent }) => `close ${block} ${rescued ? 'yes' : 'no'} ${parent}`) ?? [];
  return [`step ${number} ${job.timeout} ${after} ${tries} ${delay} ${job.placed?.frames ?? 'top'}`, ...closes];
}
