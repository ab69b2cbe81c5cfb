/** `lvsctl sudoers`: what a host must be told so that one of its accounts may look at it with lvsctl, and do nothing else. */
import { EXIT } from '../../errors.ts';
import { questionsOf } from '../../plan/look.ts';
import { factsProbe } from '../../probe/facts.ts';
import { tracesProbe } from '../../probe/traces.ts';
import { type Listed, readerFile, sudoersText } from '../../sh/reader.ts';
import { secretsIn } from '../../sh/secret.ts';
import { renderSh, type Sh } from '../../sh/sh.ts';
import { statusProbe } from '../../status/director-state.ts';
import { fragmentsFor } from '../../verify/verify-all.ts';
import { printable } from '../../view/printable.ts';
import { say, sayAside } from '../../view/say.ts';
import { printDocument } from '../document.ts';
import type { CommonFlags } from '../flags.ts';
import { bindAll, ownPlaybook, readAll, readerName } from '../session.ts';

export interface SudoersFlags extends CommonFlags {
  readonly user: string;
  readonly show?: boolean;
}

/** Prints the file for all hosts of the inventory, which is one; on stderr, what cannot be on it. */
export async function sudoers(file: string, flags: SudoersFlags): Promise<void> {
  const user = readerName(flags.user);
  const books = { plays: flags.playbook ?? ownPlaybook('deploy'), checks: flags.playbook ?? ownPlaybook('verify') };
  const read = await readAll(file, flags, books);
  const { listed, secret, later } = readBy({ ...read, ...bindAll(read, flags) });
  const left = (what: readonly string[], why: string): void => {
    if (what.length > 0) sayAside(printable(`not on the list: ${what.join(', ')}: ${why}`));
  };
  left(secret, 'a secret is part of it; leave it out with --skip-tags or --limit where it is to be read');
  left(later, 'what it asks is known only when something else has been found');
  const text = sudoersText(user, listed, [
    `For ${readerFile} (owner root, mode 0440): ${user} may look at this host with "lvsctl plan", "verify" and "status" --reader ${user}.`,
    `Of ${file}. Make it anew after a change of it or of lvsctl. "--show" prints what stands behind the sums.`,
  ]);
  if (flags.json) return printDocument('sudoers', EXIT.done, { path: readerFile, text, listed, left: { secret, later } });
  const shown = listed.map((each) => `# ${each.name.replaceAll(/\s+/g, ' ')}\n${each.text}\n`);
  say(printable(flags.show ? shown.join('\n') : text.trimEnd()));
}

type Looks = Pick<Awaited<ReturnType<typeof readAll>>, 'fleet' | 'registry'> & ReturnType<typeof bindAll>;

interface Readable {
  readonly listed: readonly Listed[];
  /** Names of steps and checks that have a secret in what they ask. */
  readonly secret: readonly string[];
  /** Names of steps that have to wait for what others find. */
  readonly later: readonly string[];
}

/** Each text once, with the names of all that it is for. */
function readBy({ fleet, bind, checks, registry }: Looks): Readable {
  const plays = bind();
  const names = new Map<string, Set<string>>();
  const secret = new Set<string>();
  const add = (name: string, fragment: Sh): void => {
    if (secretsIn(fragment.parts).size > 0) return void secret.add(name);
    const text = renderSh(fragment, (value) => value);
    names.set(text, (names.get(text) ?? new Set()).add(name));
  };
  add('facts of the host', factsProbe);
  add('what runs of lvsctl have left', tracesProbe);
  add('status', statusProbe);
  const steps = plays.flatMap((play) => Object.values(play.steps).flat());
  for (const step of steps)
    for (const fragments of Object.values(questionsOf(plays, { registry }, (each) => each === step)))
      for (const fragment of Object.values(fragments)) add(step.name, fragment);
  for (const check of checks.flatMap((play) => play.checks))
    for (const host of fleet.hosts)
      for (const fragment of Object.values(fragmentsFor(host, [check], fleet))) add(check.entry.name, fragment);
  return {
    listed: [...names].map(([text, of]) => ({ text, name: [...of].join(', ') })),
    secret: [...secret],
    later: [...new Set(steps.filter(({ waits }) => waits !== undefined).map(({ name }) => name))],
  };
}
