/** What `--list-hosts` and `--list-tasks` show: per play its hosts, and its tasks with their tags, as ansible-playbook does. */
import { mask } from '../sh/secret.ts';
import { printable } from './printable.ts';

export interface ListedEntry {
  /** As it stands in the playbook: `<%= … %>` is not evaluated. */
  readonly name: string;
  /** The task or check. */
  readonly word: string;
  /** Of tasks; checks have none. */
  readonly tags?: readonly string[];
}

/** A list that was not asked for is absent. */
export interface ListedPlay {
  readonly name: string;
  /** Absent where a play only checks: each check knows from where it looks. */
  readonly pattern?: string;
  readonly hosts?: readonly string[];
  readonly tasks?: readonly ListedEntry[];
  readonly checks?: readonly ListedEntry[];
}

export interface ListedBook {
  readonly playbook: string;
  readonly plays: readonly ListedPlay[];
}

/** No trailing newline. */
export function listingText(books: readonly ListedBook[]): string {
  return books.map(({ playbook, plays }) => [`playbook: ${playbook}`, ...plays.flatMap(playLines)].join('\n')).join('\n\n');
}

function playLines({ name, pattern, hosts, tasks, checks }: ListedPlay, index: number): readonly string[] {
  const head = `  play #${index + 1}${pattern === undefined ? '' : ` (${pattern})`}: ${shown(name)}`;
  const named = hosts ? [`    hosts (${hosts.length}):`, ...hosts.map((host) => `      ${host}`)] : [];
  return ['', head, ...named, ...entryLines('tasks', tasks), ...entryLines('checks', checks)];
}

function entryLines(title: string, entries: readonly ListedEntry[] | undefined): readonly string[] {
  if (!entries?.length) return [];
  return [`    ${title}:`, ...entries.map(({ name, tags }) => `      ${shown(name)}${tags ? `  TAGS: [${tags.join(', ')}]` : ''}`)];
}

function shown(name: string): string {
  return mask(printable(name));
}
