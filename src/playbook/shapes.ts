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

/** What a block, an import or a play says for all that is in it. */
const shared = { ...settings, tags: words.optional(), notify: words.optional() };

export const taskShape = z.looseObject({ ...shared, loop: z.unknown().optional() });
export const taskKeys = Object.keys(taskShape.shape);

export const blockShape = z.strictObject({ ...shared, block: z.array(z.unknown(), { error: 'a block is a list of tasks' }) });
export const blockKeys = Object.keys(blockShape.shape);

const fileName = z.string({ error: 'the path of a file, relative to this one' }).min(1, 'the path of a file, relative to this one');
export const importShape = z.strictObject({ ...shared, import_tasks: fileName });
export const importKeys = Object.keys(importShape.shape);

export const importPlaybookShape = z.strictObject({ ...shared, import_playbook: fileName });
export const importPlaybookKeys = Object.keys(importPlaybookShape.shape);

export const handlerShape = z.looseObject({ ...settings, listen: words.optional() });
export const handlerKeys = Object.keys(handlerShape.shape);

export const checkShape = z.looseObject(settings);
export const checkKeys = Object.keys(checkShape.shape);

export const playShape = z.strictObject({
  name: z.string({ error: 'a play has a name' }),
  hosts: z.string({ error: 'hosts is a pattern, such as backends or "all:!web1"' }).optional(),
  vars: vars.optional(),
  tags: words.optional(),
  tasks: z.array(z.unknown(), { error: 'tasks is a list' }).optional(),
  handlers: z.array(z.unknown(), { error: 'handlers is a list' }).optional(),
  checks: z.array(z.unknown(), { error: 'checks is a list' }).optional(),
});
export const playKeys = Object.keys(playShape.shape);
