/** Parameter types that several tasks share. All of them refuse what no shell can be given: NUL and half a character. */
import { z } from 'zod';

const unsendable = /\0|\p{Surrogate}/u;

/** Any text that can be sent to a host unchanged. */
export const text = z.string().refine((value) => !unsendable.test(value), 'text without NUL characters, in valid Unicode');

/** Bytes of text that go inline in a script; what is larger goes as a blob. */
export const inlineLimit = 128 * 1024;

/** The content of a file that lvsctl writes. */
export const fileContent = text.refine(
  (value) => Buffer.byteLength(value) <= inlineLimit,
  `at most ${inlineLimit / 1024} KiB; larger files are no configuration`,
);

/** An absolute path in its plain form, so that one file has one name. */
export const absolutePath = text.refine(
  (value) => /^(\/(?!\.{1,2}(\/|$))[^/\n]+)+$/.test(value),
  'an absolute path without "//", "/./", "/../", a newline or a slash at its end, such as /etc/motd',
);

/** Octal, always quoted in YAML: a bare 0644 is the number 644 there. */
export const fileMode = z
  .string({ error: 'an octal mode in quotes, such as "0644"' })
  .regex(/^0?[0-7]{3,4}$/, 'an octal mode in quotes, such as "0644"');

/** A user or group name as useradd and groupadd take it on every distribution, or a number. */
export const accountName = z
  .string()
  .regex(/^([a-z_][a-z0-9_-]{0,30}\$?|[0-9]{1,10})$/, 'a name of small letters, digits, "_" and "-", at most 31, or a number');

/** `.meta(localPath)`: the parameter names a file of the control machine, and is looked for beside the playbook first. */
export const localPath = { localPath: true } as const;

/** `.meta(templateText)`: the parameter is code; values that a playbook's expressions put into it are not, and come out as text. */
export const templateText = { templateText: true } as const;

/** One name or several; always a list of distinct names afterwards. */
export function oneOrMore<Name extends z.ZodType<string>>(name: Name) {
  return z.union([name, z.array(name).min(1)]);
}

/** The list that `oneOrMore` stands for, without repetitions. */
export function toList(names: string | readonly string[]): readonly string[] {
  return [...new Set(typeof names === 'string' ? [names] : names)];
}
