/** Flags that several verbs have in common, spelt as Ansible users know them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { readShare } from './flags.ts';

let verbose = 0;

/** How often -v was said, for whoever tells of an error. */
export function verbosity(): number {
  return verbose;
}

/** `a,b` and the flag given again add up. */
export function words(typed: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...typed.split(',').map((word) => word.trim())].filter((word) => word !== '');
}

export function share(least: 0 | 1): (typed: string) => unknown {
  return (typed) => {
    const read = readShare(typed, least);
    if (!read) throw new InvalidArgumentError(`Say a number of hosts from ${least}, or a percentage such as 30%.`);
    return read;
  };
}

export function wholeNumber(typed: string): number {
  if (!/^[1-9]\d{0,4}$/.test(typed)) throw new InvalidArgumentError('Say a whole number from 1.');
  return Number(typed);
}

/** Flags of every verb that talks to hosts. */
export function common(command: Command): Command {
  return command
    .argument('<inventory>', 'the inventory file')
    .option(
      '-l, --limit <pattern>',
      'only these hosts: "backends", "web1", "all:!dr2", "web*", "web[1:3]", "~regex", "@failed" (at the last deploy)',
      'all',
    )
    .option('--lab', 'against the running rehearsal of this inventory instead of the real hosts')
    .option('--accept-new', 'first contact: accept and keep host keys that are not known yet; a changed key is refused all the same')
    .option('-k, --ask-pass', 'ask for the login password, for hosts that take no key (or give it as LVSCTL_LOGIN_PASSWORD)')
    .option('-K, --ask-become-pass', 'ask for the sudo password (or give it as LVSCTL_SUDO_PASSWORD)')
    .option('--json', 'one JSON document on stdout and nothing else')
    .option('--no-color', 'no colours')
    .addOption(
      new Option(
        '-v, --verbose',
        'also what needed nothing, and why; -vv: the script of each change too; -vvv: all times and channels, stack traces',
      )
        .argParser((_, count: number) => {
          verbose = count + 1;
          return verbose;
        })
        .default(0),
    )
    .addOption(new Option('-f, --forks <hosts>', 'so many hosts are connected to and worked on at once').argParser(wholeNumber).default(25))
    .option('--timeout <seconds>', 'for connecting to a host; the inventory says it otherwise');
}

/** Flags of every verb that reads a playbook. */
export function reading(command: Command): Command {
  return common(command).addOption(
    new Option(
      '-e, --extra-vars <vars>',
      'NAME=VALUE, @FILE.yaml or a JSON object; wins over all other variables; may be given again',
    ).argParser((word, before: readonly string[] | undefined) => [...(before ?? []), word]),
  );
}

/** Flags of every verb that does what a playbook says. */
export function playing(command: Command): Command {
  return reading(command)
    .option('--junit <file>', 'also write the report to this file, as JUnit XML for CI systems')
    .option('--list-hosts', 'only say which hosts each play is for; nothing is connected to')
    .option('--list-tasks', 'only say which tasks would be looked at, with their tags; nothing is connected to');
}

/** Flags of every verb that plans changes. */
export function changing(command: Command): Command {
  return playing(command)
    .option('-p, --playbook <file>', 'another playbook than the one that comes with lvsctl')
    .addOption(new Option('-t, --tags <tags>', 'only tasks with one of these tags, and those tagged "always"').argParser(words))
    .addOption(new Option('--skip-tags <tags>', 'not the tasks with one of these tags').argParser(words))
    .option('--start-at-task, --start-at <task>', 'begin with this task, by its name')
    .addOption(new Option('--serial <hosts>', 'hosts of a play in a batch, a number or 30%; wins over the playbook').argParser(share(1)))
    .addOption(new Option('--max-fail <hosts>', 'hosts of a play that may fail before the rollout stops').argParser(share(0)))
    .option('-D, --diff', 'show what changes, line by line');
}
