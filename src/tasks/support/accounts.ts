/** What the tasks `group` and `user` share. */
import { z } from 'zod';

/** A name that useradd and groupadd take on every distribution; never a number, which other tools would read as one. */
export const namedAccount = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,30}$/, 'a name of small letters, digits, "_" and "-", no digit first, at most 31');

/** Lines `KIND field:field:…` of a probe, each as its fields. */
export function accountLines(stdout: string, kind: string): readonly (readonly string[])[] {
  return stdout.split('\n').flatMap((line) => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1).split(':')] : []));
}
