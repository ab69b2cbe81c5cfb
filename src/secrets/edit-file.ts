/** An age file changed in the operator's editor. What they have typed is never lost, and never lies about in clear. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { LvsError } from '../errors.ts';
import { encryptAge } from './age.ts';
import { complaint } from './complaint.ts';
import { type Editing, withEditor } from './editor.ts';
import { identityFile, recipientsOf } from './identity.ts';
import { type Opened, openForEditing, type SecretsFile } from './open.ts';
import type { Ask } from './passwords.ts';
import { readBytes } from './read-file.ts';
import { withRecipients } from './recipients.ts';
import { parseValues } from './values.ts';
import { replaceFile } from './write-file.ts';

export interface EditOptions {
  readonly ask: Ask | undefined;
  /** Whether to open the editor again on what was complained about; never asked where nobody is there. */
  readonly again: (complaint: LvsError) => Promise<boolean>;
  readonly warn: (line: string) => void;
}

const empty = '# One secret on each line, as NAME: VALUE. An inventory or a playbook takes it with !secret NAME.\n';

/** What has become of the file. */
export interface EditResult {
  readonly made: 'new' | 'changed' | 'nothing';
  readonly secrets: number;
}

/** Throws LvsError (exit 4, 130). */
export async function editSecrets(from: SecretsFile, { ask, again, warn }: EditOptions): Promise<EditResult> {
  const { file } = from;
  const before = existsSync(file) ? readBytes(file) : undefined;
  const { text, lock }: Opened = before
    ? await openForEditing(before, from, ask)
    : { text: empty, lock: { recipients: await recipientsOf(identityFile(from.identity)) } };
  const aside = `${file}.rejected`;
  const refused = existsSync(aside) ? (await openForEditing(readBytes(aside), { ...from, file: aside }, ask)).text : undefined;
  if (refused !== undefined) warn(`goes on from what was refused the last time (${aside}; without that file, from ${file})`);
  const edited = await withEditor(refused ?? text, warn, (editing) => untilRight(editing, { file, again }));
  const sealed = edited.text === text ? undefined : await encryptAge(withRecipients(edited.text, lock), lock);
  if (edited.fault) {
    if (sealed === undefined) throw edited.fault;
    replaceFile(aside, sealed);
    throw keptAside(edited.fault, aside);
  }
  if (sealed !== undefined) {
    if (!sameAs(file, before)) {
      replaceFile(aside, sealed);
      throw keptAside(complaint('changed-meanwhile', 'somebody has changed this file while you edited it', file), aside);
    }
    replaceFile(file, sealed);
  }
  rmSync(aside, { force: true });
  const made = sealed === undefined ? 'nothing' : before ? 'changed' : 'new';
  return { made, secrets: parseValues(edited.text, { file }).size };
}

interface Edited {
  readonly text: string;
  /** What is wrong with it, where the operator leaves it so. */
  readonly fault?: LvsError;
}

async function untilRight(editing: Editing, { file, again }: Pick<EditOptions, 'again'> & { readonly file: string }): Promise<Edited> {
  for (;;) {
    const text = await editing.edit();
    try {
      parseValues(text, { file });
      return { text };
    } catch (error) {
      if (!(error instanceof LvsError)) throw error;
      if (!(await again(error))) return { text, fault: error };
    }
  }
}

function sameAs(file: string, before: Buffer | undefined): boolean {
  return existsSync(file) ? before !== undefined && readFileSync(file).equals(before) : before === undefined;
}

function keptAside(fault: LvsError, aside: string): LvsError {
  const hint = `the file is as it was; what you typed is kept, encrypted, in ${aside}, and "lvsctl secrets edit" goes on from there`;
  return new LvsError(fault.message, { code: fault.code, exitCode: fault.exitCode, ...(fault.where && { where: fault.where }), hint });
}
