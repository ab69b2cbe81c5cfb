/** Values of the secrets of a run, before any host is spoken to: the environment, then the file, then the command, then the terminal. */
import { basename } from 'node:path';
import { EXIT, LvsError } from '../errors.ts';
import { secretVariable } from '../sh/secret.ts';
import { askCommand, secretCommand } from './ask-command.ts';
import { complaint } from './complaint.ts';
import { readSecrets, type SecretsFile } from './open.ts';
import type { Ask } from './passwords.ts';

export interface Wanted {
  /** All that inventory, playbooks and variables name. Where a value is at hand, it is kept out of what hosts say. */
  readonly named: readonly string[];
  /** Those without which the run cannot be. */
  readonly needed: ReadonlySet<string>;
  /** Hosts will show what they have kept of other runs: all that is at hand is kept out, without a question, and where it can be had. */
  readonly keepsOut?: boolean | undefined;
  readonly from?: SecretsFile;
  /** As the user gave it, for the complaint. */
  readonly inventory: string;
  readonly ask?: Ask | undefined;
}

/** Each source is opened only if something is needed that those before do not have. Throws LvsError (exit 4). */
export async function gatherSecrets(wanted: Wanted): Promise<ReadonlyMap<string, string>> {
  const { named, needed, from, inventory, ask } = wanted;
  const values = new Map(named.flatMap((name) => entry(name, process.env[secretVariable(name)])));
  const missing = (): readonly string[] => [...needed].filter((name) => !values.has(name));
  const read = await inFile(wanted, missing().length > 0);
  for (const [name, value] of [...read, ...(wanted.keepsOut ? inEnvironment() : [])]) if (!values.has(name)) values.set(name, value);
  const command = missing().length > 0 ? secretCommand() : undefined;
  const reasons: string[] = [];
  for (const name of command ? missing() : []) {
    const said = command && askCommand(command, name);
    if (said && 'value' in said) values.set(name, said.value);
    else if (said) reasons.push(said.why);
  }
  for (const name of ask ? missing() : []) {
    const typed = await ask?.(`value of secret ${name}`);
    if (typed) values.set(name, typed);
  }
  rejectMissing(missing(), { from, inventory, command: command?.[0], reasons });
  rejectUnsendable(values);
  return values;
}

/** What is not named any more may still stand on a host: of that, what is too long to be found there by chance. */
async function inFile({ named, keepsOut, from, ask }: Wanted, due: boolean): Promise<readonly (readonly [string, string])[]> {
  if (!from || !(due || keepsOut)) return [];
  const read = due ? await readSecrets(from, ask) : await readSecrets(from, undefined).catch(() => new Map<string, string>());
  return [...read].filter(([name, value]) => named.includes(name) || (isLong(value) && !value.includes('\0')));
}

/** Whatever they are for; as a name is written there. */
function inEnvironment(): readonly (readonly [string, string])[] {
  return Object.entries(process.env).flatMap(([variable, value = '']) => {
    const [, name] = /^LVSCTL_SECRET_([A-Z]\w*)$/.exec(variable) ?? [];
    return name !== undefined && isLong(value) ? [[name.toLowerCase(), value] as const] : [];
  });
}

function isLong(value: string): boolean {
  return value.length >= 8;
}

function entry(name: string, value: string | undefined): readonly (readonly [string, string])[] {
  return value === undefined ? [] : [[name, value]];
}

interface Tried {
  readonly from: SecretsFile | undefined;
  readonly inventory: string;
  readonly command: string | undefined;
  readonly reasons: readonly string[];
}

function rejectMissing(missing: readonly string[], { from, inventory, command, reasons }: Tried): void {
  const [first, ...others] = missing.map((name, index) => {
    const file = from
      ? `put it into ${from.file} ("lvsctl secrets edit ${inventory}")`
      : `name an encrypted file under "secrets" in ${inventory}`;
    const program = command ? `have ${basename(command)} give it (${reasons[index]})` : 'name a program in LVSCTL_SECRETS_COMMAND';
    const hint = `set ${secretVariable(name)}, ${file}, ${program}, or run it on a terminal to be asked`;
    return { message: `secret "${name}" has no value`, options: { code: 'secret.missing', exitCode: EXIT.badInput, hint } };
  });
  if (!first) return;
  throw new LvsError(first.message, { ...first.options, others: others.map(({ message, options }) => new LvsError(message, options)) });
}

/** No script can carry it. */
function rejectUnsendable(values: ReadonlyMap<string, string>): void {
  const [found] = [...values].find(([, value]) => value.includes('\0')) ?? [];
  if (found !== undefined) throw complaint('value', `the value of secret "${found}" holds a NUL character`, undefined);
}
