/** The form of plays and entries as they are typed, before anything in them is looked up. */
import { z } from 'zod';

const words = z.union([z.string(), z.array(z.string())], { error: 'not a name, nor a list of names' });
const condition = z.union([z.string(), z.boolean()], { error: 'a condition is an expression, true or false' });
const vars = z.record(z.string(), z.unknown(), { error: 'vars is a mapping of names to values' });

/** Settings that an entry may have beside its word; whatever else is there is the word. */
const settings = {
  name: z.string({ error: 'a name is text' }).optional(),
  when: z.union([condition, z.array(condition)]).optional(),
  vars: vars.optional(),
};

export const taskShape = z.looseObject({ ...settings, tags: words.optional(), notify: words.optional(), loop: z.unknown().optional() });
export const taskKeys = Object.keys(taskShape.shape);

export const checkShape = z.looseObject(settings);
export const checkKeys = Object.keys(checkShape.shape);

export const playShape = z.strictObject({
  name: z.string({ error: 'a play has a name' }),
  hosts: z.string({ error: 'hosts is a pattern, such as backends or "all:!web1"' }).optional(),
  vars: vars.optional(),
  tags: words.optional(),
  tasks: z.array(z.unknown(), { error: 'tasks is a list' }).optional(),
  checks: z.array(z.unknown(), { error: 'checks is a list' }).optional(),
});
export const playKeys = Object.keys(playShape.shape);
