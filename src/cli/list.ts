/** `--list-hosts` and `--list-tasks`: what a run would be about. Everything is read and checked, nothing is connected to. */
import { EXIT } from '../errors.ts';
import type { Fleet, Play, Playbook } from '../model.ts';
import type { BoundPlay } from '../playbook/bind.ts';
import { isChosen, type TagChoice } from '../playbook/tags.ts';
import { type ListedBook, type ListedPlay, listingText } from '../view/listing.ts';
import { say } from '../view/say.ts';
import { printDocument } from './document.ts';
import type { CommonFlags } from './flags.ts';
import { type Books, bindAll, readAll } from './session.ts';

export function wantsList(flags: CommonFlags): boolean {
  return Boolean(flags.listHosts || flags.listTasks);
}

/** Prints the lists; throws as the run itself would for bad input. */
export async function list(command: string, file: string, flags: CommonFlags, books: Books): Promise<void> {
  const read = await readAll(file, flags, books);
  const { fleet, plays, checks } = read;
  const bound = bindAll(read, flags);
  const choice = { tags: flags.tags ?? [], skipTags: flags.skipTags ?? [] };
  const listed = (book: Playbook | undefined, made: readonly BoundPlay[], what: What): readonly ListedBook[] =>
    book
      ? [{ playbook: book.file, plays: book.plays.map((play, index) => listedPlay(play, made[index], { fleet, flags, choice, ...what })) }]
      : [];
  const same = plays?.file === checks?.file;
  const all = [
    ...listed(plays, bound.bind(), { tasks: true, checks: same }),
    ...(same ? [] : listed(checks, bound.checks, { tasks: false, checks: true })),
  ];
  if (flags.json) printDocument(command, EXIT.done, { playbooks: all });
  else say(listingText(all));
}

interface What {
  readonly tasks: boolean;
  readonly checks: boolean;
}

interface About extends What {
  readonly fleet: Fleet;
  readonly flags: CommonFlags;
  readonly choice: TagChoice;
}

function listedPlay(play: Play, bound: BoundPlay | undefined, about: About): ListedPlay {
  const { flags, choice } = about;
  const tasks = about.tasks ? play.tasks.filter(({ tags }) => isChosen(tags, choice)) : [];
  const checks = about.checks ? play.checks : [];
  return {
    name: play.name,
    ...(!onlyChecks(play, about) && { pattern: String(play.hosts.value) }),
    ...(flags.listHosts && { hosts: hostsOf(play, bound, about) }),
    ...(flags.listTasks && {
      tasks: tasks.map(({ name, task, tags }) => ({ name: String(name.value), word: task, tags })),
      checks: checks.map(({ name, check }) => ({ name, word: check })),
    }),
  };
}

/** Those that do its tasks; of a play that only checks, those that its checks look from. */
function hostsOf(play: Play, bound: BoundPlay | undefined, about: About): readonly string[] {
  if (!onlyChecks(play, about)) return Object.keys(bound?.steps ?? {});
  const roles = new Set(bound?.checks.flatMap(({ definition }) => definition.from));
  return about.fleet.hosts.filter(({ role }) => roles.has(role)).map(({ name }) => name);
}

function onlyChecks({ tasks, checks }: Play, about: About): boolean {
  return !about.tasks || (tasks.length === 0 && checks.length > 0);
}
