/**
 * Parameters that are templates themselves: what the playbook wrote is code, the values in it are not. They come out as string literals
 * of the template, so that nothing that an inventory or a host says is ever evaluated, wherever it is cut.
 */
import { z } from 'zod';
import { EXIT, LvsError } from '../errors.ts';
import { type FillText, fillText, intoText, type Scope } from './expression.ts';

/** How the texts of this word's parameters are filled. Which are templates, the schema says: `.meta(templateText)`. */
export function fillingOf(schema: z.ZodType): FillText {
  return (text, scope, path) => (path.length === 1 && isTemplate(schema, path[0]) ? fillTemplate(text, scope) : fillText(text, scope));
}

/** Parameters that one expression gave as a whole: of them the playbook has written nothing. */
export function templatesAsText(schema: z.ZodType, given: unknown): unknown {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) return given;
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, isTemplate(schema, key) && typeof value === 'string' ? asText(value) : value]),
  );
}

function isTemplate(schema: z.ZodType, key: string | number | undefined): boolean {
  const field: unknown = schema instanceof z.ZodObject ? schema.shape[String(key)] : undefined;
  return field instanceof z.ZodType && z.globalRegistry.get(field)?.templateText === true;
}

function fillTemplate(text: string, scope: Scope): unknown {
  if (!text.includes('<%')) return fillText(text, scope);
  // `<%-` would leave the value as it is.
  const own = text.replaceAll('<%-', '<%=');
  return /^[^\n]*\.ejs$/.test(text) ? fillText(own, scope, asFileName) : fillText(own, scope, asText);
}

/** The template that gives this value. */
function asText(value: unknown): string {
  const text = intoText(value);
  if (/^\S+\.ejs$/.test(text)) {
    throw mistake(`${JSON.stringify(text)} is a value, and no template`, 'name the file of a template in the playbook: "<%= … %>.ejs"');
  }
  const literal = JSON.stringify(text).replace(/[<%>]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`);
  return text === '' ? '' : `<%= ${literal} %>`;
}

/** A value chooses among files of the folder that the playbook names, and no other. */
function asFileName(value: unknown): string {
  const text = intoText(value);
  if (/^(?!\.)[^/\n<]*$/.test(text)) return text;
  throw mistake(
    `${JSON.stringify(text)} cannot stand in the name of a template`,
    'a value there is a part of a name, without "/", "<" or a dot at its beginning; write the folder into the playbook',
  );
}

function mistake(message: string, hint: string): LvsError {
  return new LvsError(message, { code: 'playbook.expression', exitCode: EXIT.badInput, hint });
}
