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

const variableName = z.string({ error: 'register is a name' }).regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'register is a name such as "kernel"');
const wholeNumber = (what: string, least: number) => z.int(`${what} is a whole number`).min(least, `${what} is at least ${least}`);

export const taskShape = z.looseObject({
  ...shared,
  loop: z.unknown().optional(),
  register: variableName.optional(),
  until: condition.optional(),
  retries: wholeNumber('retries', 1).max(1000, 'retries is at most 1000').optional(),
  delay: wholeNumber('delay', 0).max(3600, 'delay is at most 3600 seconds').optional(),
  run_once: z.boolean('run_once is true or false').optional(),
  delegate_to: z.string({ error: 'delegate_to is the name of a host' }).optional(),
});
export const taskKeys = Object.keys(taskShape.shape);

/** Everything before it has been done, and every host is looked at again, before what comes after it is planned. */
export const barrierShape = z.strictObject({
  name: settings.name,
  barrier: z.union([z.literal(true), z.string()], { error: 'say "barrier: true", or why' }),
});
export const barrierKeys = Object.keys(barrierShape.shape);

const taskList = (what: string) => z.array(z.unknown(), { error: `${what} is a list of tasks` });
export const blockShape = z.strictObject({
  ...shared,
  block: taskList('a block'),
  rescue: taskList('rescue').optional(),
  always: taskList('always').optional(),
});
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

/** A number of hosts from `least`, or a percentage. */
function share(least: 0 | 1) {
  const error = `a number of hosts${least ? ' from 1' : ''}, or a percentage such as "30%"`;
  return z.union([z.int(error).min(least, error), z.string(error).regex(least ? /^([1-9]\d?|100)%$/ : /^(\d\d?|100)%$/, error)], { error });
}

export const playShape = z.strictObject({
  name: z.string({ error: 'a play has a name' }),
  hosts: z
    .union([z.string(), z.array(z.string())], { error: 'hosts is a pattern, such as backends or "all:!web1", or a list of them' })
    .optional(),
  serial: z.union([share(1), z.array(share(1)).min(1)]).optional(),
  max_fail: share(0).optional(),
  vars: vars.optional(),
  tags: words.optional(),
  tasks: z.array(z.unknown(), { error: 'tasks is a list' }).optional(),
  handlers: z.array(z.unknown(), { error: 'handlers is a list' }).optional(),
  checks: z.array(z.unknown(), { error: 'checks is a list' }).optional(),
  gate: z.array(z.unknown(), { error: 'gate is a list of checks' }).optional(),
});
export const playKeys = Object.keys(playShape.shape);
