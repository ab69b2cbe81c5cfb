/** Paths of files on the control machine: beside the file in which they are written, as in Ansible; otherwise the task looks itself. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { z } from 'zod';

/** The parameters, with those that name a file beside `book` made absolute. Which may name one, the schema says: `.meta(localPath)`. */
export function besideBook(schema: z.ZodType, want: unknown, book: string | undefined): unknown {
  if (!(schema instanceof z.ZodObject) || book === undefined || want === null || typeof want !== 'object') return want;
  const found = Object.entries(want).map(([key, value]) => [key, isPath(schema, key) ? beside(value, book) : value] as const);
  return Object.fromEntries(found);
}

function isPath(schema: z.ZodObject, key: string): boolean {
  const field: unknown = schema.shape[key];
  return field instanceof z.ZodType && z.globalRegistry.get(field)?.localPath === true;
}

function beside(value: unknown, book: string): unknown {
  if (typeof value !== 'string' || value === '' || value.includes('\n') || isAbsolute(value)) return value;
  const path = resolve(dirname(book), value);
  return existsSync(path) ? path : value;
}
