/** The fragments around a step that keep how things were: before the first run of all, for a teardown, and before this one, for a rollback. */
import { type Kept, keeping, useBefore } from '../../before/before.ts';
import type { Touched } from '../../model.ts';
import { lines, type Sh, sh } from '../../sh/sh.ts';
import { type Keeping, keepingVersions, useVersions } from '../../versions/versions.ts';

/** Fragments of a job; absent where nothing is kept. They want before.sh and versions.sh in the run's folder. */
export interface KeepFragments {
  readonly keep?: Sh;
  readonly note?: Sh;
}

/** Of a change that touches these. */
export function keepFragments(touched: readonly Touched[], keepingOf: Omit<Keeping, 'touched'>): KeepFragments {
  const [before, versions] = [keeping(touched), keepingVersions({ ...keepingOf, touched })];
  const inVersions = versions.calls.length > 0;
  const both: Kept = { calls: [...before.calls, ...versions.calls], notes: [...before.notes, ...versions.notes] };
  const use = inVersions ? useVersions : useBefore;
  // On disk and whole once for both: each sync and move is a program of its own.
  const last = inVersions ? sh`kept_versions ${versions.sealed}` : sh`kept`;
  return {
    ...(both.calls.length > 0 && { keep: lines(use, allOf([...both.calls, last])) }),
    ...(both.notes.length > 0 && { note: lines(use, ...both.notes) }),
  };
}

function allOf(calls: readonly Sh[]): Sh {
  const joined = calls.slice(1).reduce((all, call) => sh`${all} &&\n${call}`, calls[0] ?? sh`:`);
  return sh`{
${joined}
} || { printf '%s\n' 'how it was before cannot be kept, so nothing is changed' >&2; exit 1; }`;
}
