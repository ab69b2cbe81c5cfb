/** Values that keepalived.conf can hold: nothing in them is syntax there. */
import { z } from 'zod';

/** A name of an instance, a host, a script. */
export const label = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'letters, digits, "_", "." and "-", starting with a letter or digit');

export const nic = z
  .string()
  .max(15)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/, 'the name of a network interface, such as eth0');

export const port = z.int().min(1).max(65535);
export const seconds = z.number().min(0.1).max(3600);
export const address = z.union([z.ipv4(), z.ipv6()], { error: 'an IPv4 or IPv6 address' });

/** Path of a script on the control machine; its own name is what the directors know it by. */
export const scriptFile = z
  .string()
  .max(1024)
  .regex(/^[^\0\n]*?[A-Za-z0-9_.-]+$/, 'the path of a script')
  .refine(
    (file) => label.safeParse(file.slice(file.lastIndexOf('/') + 1)).success,
    'a script named with letters, digits, "_", "." and "-"',
  );

/** A word of a script's command line: between quotes in keepalived.conf, where `"`, `\` and blanks would end it. */
export const argument = z
  .string()
  .max(256)
  .regex(/^[A-Za-z0-9_.,:=/@%+{}-]+$/, 'a word of letters, digits and signs of _.,:=/@%+{}-');

export function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}

/** What a record says of a name itself: an instance may be called `valueOf`. */
export function saidOf<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
