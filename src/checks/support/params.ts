/** Parameter types that several checks share. */
import { z } from 'zod';

const printableAscii = /^[\x21-\x7e]*$/;

/** Path and query of a URL, already encoded. */
export const urlPath = z
  .string()
  .startsWith('/', 'a path that begins with "/"')
  .regex(printableAscii, 'a path without blanks and control characters, other characters percent-encoded');

/** The value of an HTTP header: one line. */
export const headerValue = z.string().regex(/^[\x21-\x7e][\x20-\x7e]*$/, 'one line of printable ASCII');

export const port = z.number().int().min(1).max(65535);

/** What a web server answers with. */
export const httpStatus = z.number().int().min(100).max(599);
