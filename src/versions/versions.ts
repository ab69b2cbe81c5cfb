/**
 * What a run replaces or removes of files is kept on the host, in /var/lib/lvsctl/versions, with the handlers that the change notifies:
 * `lvsctl rollback` puts it back by the host's own means. What is kept, and how, stands in versions.sh.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeText, type Kept } from '../before/before.ts';
import type { Change, Handler, Touched } from '../model.ts';
import { renderSh, sh } from '../sh/sh.ts';

const text = readFileSync(new URL('./versions.sh', import.meta.url), 'utf8').replace(/^\s*#(?! shellcheck).*\n/gm, '');

/** The functions, as shell text for a probe; a run has them in its folder. */
export const versionsText = `${beforeText}\n${text}`;

/** As a file of a run's folder, beside before.sh. */
export const versionsFile = { name: 'versions.sh', text } as const;

/** At the beginning of a fragment of a run that calls the functions. */
export const useVersions = sh`# shellcheck disable=SC1090,SC1091
. "$LVSCTL_RUN/before.sh"
. "$LVSCTL_RUN/versions.sh"`;

export interface Keeping {
  readonly change: Change;
  readonly touched: readonly Touched[];
  /** Id of the whole run. */
  readonly run: string;
  /** Number of the batch in the run. */
  readonly batch: number;
  /** All that are kept stay: the run puts back what one of them holds. */
  readonly all?: boolean;
  /** Those that run where the change is made, in their order. */
  readonly handlers: readonly { readonly name: string; readonly handler: Handler }[];
  readonly resolve: (value: string) => string;
}

/** Of a change; nothing where it touches no file. The calls want the functions of versions.sh; `kept_versions SEALED` is the last of them. */
export function keepingVersions(keeping: Keeping): Kept & { readonly sealed: readonly string[] } {
  const { change, run, batch, all = false } = keeping;
  // What is built or comes as a whole is no configuration.
  const files = change.consumes || change.produces ? [] : filesOf(keeping);
  if (files.length === 0) return { calls: [], notes: [], sealed: [] };
  const notified = keeping.handlers
    .map((each, index) => ({ ...each, file: handlerFile(each.name, batch, index) }))
    .filter(({ name }) => change.notify?.includes(name));
  const names = notified.map(({ file }) => file.replace(/^\d+-/, ''));
  return {
    calls: [
      ...files.map(({ id, path }) => sh`keep_version ${run} ${id} ${path} ${batch} ${all ? 'all' : ''}`),
      ...notified.map(({ file, handler }) =>
        handler.kept === undefined
          ? sh`version_handler ${[file, ...partsOf(handler, keeping.resolve)]}`
          : sh`version_handler_again ${file} ${handler.kept}`,
      ),
      ...files.map(({ id }) => sh`version_notifies ${id} ${change.risk === 'split' ? 'split' : ''} ${names}`),
    ],
    notes: files.map(({ id }) => sh`note_version ${run} ${id}`),
    sealed: [...files.map(({ id }) => id), ...notified.map(({ file }) => `handlers/${file}`)],
  };
}

/** Name of a file's entry. */
export function versionId(path: string): string {
  return createHash('sha256').update(`file:${path}`).digest('hex').slice(0, 16);
}

/** The one file that the change is named for (`content:PATH`); otherwise all that its step touches. */
function filesOf({ change, touched }: Keeping): readonly { readonly id: string; readonly path: string }[] {
  // The shell reads names line by line.
  const paths = touched.flatMap(({ resource }) => /^file:(\/\P{Cc}+)$/u.exec(resource)?.[1] ?? []);
  const own = change.id.replace(/^[a-z-]+:/, '');
  const meant = paths.includes(own) ? [own] : paths;
  return [...new Set(meant)].map((path) => ({ id: versionId(path), path }));
}

/** Sorts as the handlers ran; any name can be that of a file. */
function handlerFile(name: string, batch: number, index: number): string {
  return `${1000 * (batch + 1) + index}-${encodeURIComponent(name).replace(/\./g, '%2E')}`;
}

/** As they are sent, so with secrets in them; nothing but a root-only file ever holds them. */
function partsOf({ timeout = 60, reboots = 0, run, validate }: Handler, resolve: (value: string) => string): readonly (string | number)[] {
  return [timeout, reboots, renderSh(run, resolve), validate ? renderSh(validate, resolve) : ''];
}
