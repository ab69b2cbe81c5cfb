/**
 * Whom an age file is for stands inside of it, as comments above the values: a file does not say it otherwise, and what stands outside
 * could be changed by anybody, who would then get the next version.
 */
import type { Lock } from './age.ts';
import { complaint } from './complaint.ts';

const line = /^# recipient: (age1[a-z0-9]+)\r?$/;

export interface Labelled {
  /** Without those lines. */
  readonly text: string;
  readonly recipients: readonly string[];
}

export function splitRecipients(content: string): Labelled {
  const lines = content.split('\n');
  const end = lines.findIndex((one) => !line.test(one));
  const head = lines.slice(0, end === -1 ? lines.length : end);
  return { text: lines.slice(head.length).join('\n'), recipients: head.map((one) => line.exec(one)?.[1] ?? '') };
}

export function withRecipients(text: string, lock: Lock): string {
  const head = 'recipients' in lock ? lock.recipients.map((one) => `# recipient: ${one}\n`).join('') : '';
  return `${head}${text}`;
}

interface Known {
  readonly labelled: Labelled;
  /** Locks in the file's header, one for each recipient. */
  readonly locks: number;
  /** The operator's own public keys, one of which opens it. */
  readonly own: readonly string[];
}

/** Whom the next version is for: the same. Throws LvsError (exit 4) where that cannot be told. */
export function sameRecipients({ labelled: { recipients }, locks, own }: Known, file: string): readonly string[] {
  if (recipients.length === locks) return recipients;
  const [mine, ...others] = own;
  // What another tool has encrypted for one reader, who has just read it, is for that one.
  if (recipients.length === 0 && locks === 1 && mine !== undefined && others.length === 0) return [mine];
  const found = `this file is for ${locks} recipients, and ${recipients.length === 0 ? 'does not say' : `says only of ${recipients.length}`} who they are`;
  throw complaint('recipients', found, file, 'name them all, once: lvsctl secrets rekey INVENTORY --recipient age1… --recipient age1…');
}
