/** `lvsctl secrets list`: which secrets are wanted, and where their values would come from; never a value. */
import { EXIT } from '../../errors.ts';
import { type SourceOf, sourcesOf } from '../../secrets/sources.ts';
import { say } from '../../view/say.ts';
import { askSecret } from '../ask-secret.ts';
import { printDocument } from '../document.ts';
import type { CommonFlags } from '../flags.ts';
import { bindAll, neededSecrets, ownPlaybook, readAll } from '../session.ts';

/** What a deploy and a verify would want; exit 4 where a value would be missing. */
export async function list(inventory: string, flags: CommonFlags): Promise<void> {
  const books = { plays: flags.playbook ?? ownPlaybook('deploy'), checks: flags.playbook ?? ownPlaybook('verify') };
  const read = await readAll(inventory, flags, books);
  const needed = neededSecrets(bindAll(read, flags), read.secretNames);
  const listed = await sourcesOf({ named: read.secretNames, needed, from: read.secrets, ask: process.stdin.isTTY ? askSecret : undefined });
  const missing = listed.some(({ name, from }) => from === undefined && needed.has(name));
  const exitCode = missing ? EXIT.badInput : EXIT.done;
  if (flags.json) return printDocument('secrets list', exitCode, { secrets: listed });
  process.exitCode = exitCode;
  for (const line of table(listed)) say(line);
}

function table(listed: readonly SourceOf[]): readonly string[] {
  if (listed.length === 0) return ['no secret is wanted'];
  const width = Math.max(...listed.map(({ name }) => name.length));
  return listed.map(({ name, from, why, needed }) => {
    const note = [why, needed ? undefined : 'not wanted by a deploy'].filter((one) => one !== undefined).join('; ');
    return `${name.padEnd(width)}  ${from ?? 'nowhere'}${note ? ` (${note})` : ''}`;
  });
}
