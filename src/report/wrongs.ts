/** What is wrong in a report, so that two reports can be compared. */
import type { Report } from '../model.ts';

export interface Wrong {
  /** The same in every report for the same thing, whatever numbers its sentence has. */
  readonly key: string;
  readonly host: string;
  readonly what: string;
  /** What mends it; empty where that is not known. */
  readonly fix: string;
}

/** Hosts that are not there, checks that fail, changes that would be made, and what the run as a whole complains of; in this order. */
export function wrongsOf({ hosts, checks, notes }: Report): readonly Wrong[] {
  const bad = hosts.filter(({ status }) => status === 'unreachable' || status === 'failed');
  return [
    ...bad.map(({ name, status, why }) => ({ key: `host ${name} ${status}`, host: name, what: `${status}: ${why}`, fix: '' })),
    ...checks
      .filter(({ status }) => status === 'fail')
      .map(({ id, host, expected, found, fix }) => ({ key: `check ${id} ${host} ${expected}`, host, what: found, fix })),
    ...hosts.flatMap(({ name, steps }) =>
      steps.flatMap((step) =>
        step.changes
          .filter(({ status }) => status === 'planned')
          .map(({ id, title }) => ({ key: `change ${name} ${step.name} ${id}`, host: name, what: `differs: ${title}`, fix: '' })),
      ),
    ),
    ...notes.map((note) => ({ key: `note ${note}`, host: '', what: note, fix: '' })),
  ];
}

/** What has become wrong since, and what is not wrong any more. */
export function differences(
  before: readonly Wrong[],
  now: readonly Wrong[],
): { readonly appeared: readonly Wrong[]; readonly gone: readonly Wrong[] } {
  const without = (all: readonly Wrong[], others: readonly Wrong[]): readonly Wrong[] => {
    const keys = new Set(others.map(({ key }) => key));
    return all.filter(({ key }) => !keys.has(key));
  };
  return { appeared: without(now, before), gone: without(before, now) };
}
