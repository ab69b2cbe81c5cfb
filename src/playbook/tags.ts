/** Which tasks `--tags` and `--skip-tags` choose; the rules, and the words always, never, all, tagged and untagged, are Ansible's. */
import { EXIT, LvsError } from '../errors.ts';
import { didYouMean } from '../inventory/nearest.ts';
import type { Playbook } from '../model.ts';

export interface TagChoice {
  /** Empty: all. */
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
}

const special = ['always', 'never', 'all', 'tagged', 'untagged'];

/** `own` are all tags of the task, those of its play and blocks included. */
export function isChosen(own: readonly string[], { tags, skipTags }: TagChoice): boolean {
  const names = own.length > 0 ? own : ['untagged'];
  return isWanted(names, tags) && !isSkipped(names, skipTags);
}

function isWanted(names: readonly string[], wanted: readonly string[]): boolean {
  if (names.includes('always') || names.some((name) => wanted.includes(name))) return true;
  if (names.includes('never')) return false;
  return wanted.length === 0 || wanted.includes('all') || (wanted.includes('tagged') && !names.includes('untagged'));
}

function isSkipped(names: readonly string[], skipped: readonly string[]): boolean {
  if (names.some((name) => skipped.includes(name))) return true;
  return (skipped.includes('all') && !names.includes('always')) || (skipped.includes('tagged') && !names.includes('untagged'));
}

/** Throws LvsError (exit 4) for a tag that no task of the playbook has: a slip would run nothing, or skip nothing, in silence. */
export function rejectUnknownTags({ plays }: Playbook, { tags, skipTags }: TagChoice): void {
  const known = [...new Set(plays.flatMap((play) => play.tasks.flatMap((task) => task.tags)))].sort();
  const unknown = [...tags, ...skipTags].find((tag) => !known.includes(tag) && !special.includes(tag));
  if (unknown === undefined) return;
  const list = known.length > 0 ? `there are: ${known.join(', ')}` : 'no task has a tag';
  throw new LvsError(`no task has the tag ${JSON.stringify(unknown)}`, {
    code: 'playbook.unknown-tag',
    exitCode: EXIT.badInput,
    hint: `${didYouMean(unknown, known)}${list}`,
  });
}
