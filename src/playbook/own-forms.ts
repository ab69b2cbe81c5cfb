/** What the definition of a user's own task or check must look like; ours are held to it by the compiler. */
import { z } from 'zod';
import { didYouMean } from '../inventory/nearest.ts';
import type { Change, Finding } from '../model.ts';
import type { AnyCheck, AnyTask, CheckDefinition, TaskDefinition } from '../task.ts';
import { complaint } from './complaint.ts';
import { failure, watched } from './own-failures.ts';

// biome-ignore lint/suspicious/noExplicitAny: what it takes and gives is the author's business
type AnyFunction = (...args: any[]) => any;

const work = z.custom<AnyFunction>((value) => typeof value === 'function', 'a function');
const schema = z.custom<z.ZodType>((value) => value instanceof z.ZodType, 'a schema made with the z that it is given');
const shell = z.custom((value) => isShell(value), 'shell made with sh`…`');
const words = z.array(z.string(), { error: 'a list of text' });
const text = z.string({ error: 'text' });

function isShell(value: unknown): boolean {
  return value !== null && typeof value === 'object' && Array.isArray((value as { readonly parts?: unknown }).parts);
}

const task = z.strictObject({
  summary: text.min(1, 'a sentence'),
  params: schema,
  touches: work,
  before: work.optional(),
  needs: work.optional(),
  probe: work,
  parse: work,
  plan: work,
  settled: work,
  registers: work.optional(),
  pendingReboot: work.optional(),
  stays: work.optional(),
  handlers: work.optional(),
  asHandler: z.strictObject({ params: schema, make: work }).optional(),
  example: z.unknown(),
} satisfies Record<keyof TaskDefinition<unknown, unknown>, z.ZodType>);

const check = z.strictObject({
  summary: text.min(1, 'a sentence'),
  params: schema,
  from: z.array(z.enum(['director', 'backend', 'client']), { error: 'a list of director, backend, client' }).min(1, 'at least one role'),
  probe: work,
  expect: work,
  example: z.unknown(),
} satisfies Record<keyof CheckDefinition<unknown>, z.ZodType>);

const artefact = z.looseObject({ key: text });
const changes = z.array(
  z.strictObject({
    ...{ id: text, title: text, was: text, will: text, run: shell, unless: shell.optional(), validate: shell.optional() },
    ...{ timeout: z.number().optional(), notify: words.optional(), blobs: z.array(z.looseObject({ sha256: text })).optional() },
    ...{ consumes: artefact.optional(), produces: artefact.optional(), risk: z.enum(['restart', 'lockout', 'split']).optional() },
    ...{
      reboots: z.number().optional(),
      stage: shell.optional(),
      undo: shell.optional(),
      on: text.optional(),
      takesAway: z.boolean().optional(),
    },
  } satisfies Record<keyof Change, z.ZodType>),
  { error: 'a list of changes' },
);

const findings = z.array(
  z.strictObject({
    ...{ status: z.enum(['pass', 'fail', 'not-run']), host: text, found: text, expected: text, fix: text },
    from: z.enum(['director', 'backend', 'client']).optional(),
  } satisfies Record<keyof Finding, z.ZodType>),
  { error: 'a list of findings' },
);

/** The task, so made that what its functions throw or return wrongly names its file. Throws LvsError (exit 4). */
export function taskForm(made: unknown, file: string): AnyTask {
  const own = watchedAll(formed(task, made, file), file) as AnyTask;
  const plan: AnyTask['plan'] = (...args) => returned(changes, own.plan(...args), 'plan', file) as readonly Change[];
  tryExample(own, file);
  return { ...own, plan };
}

/** The check, likewise. */
export function checkForm(made: unknown, file: string): AnyCheck {
  const own = watchedAll(formed(check, made, file), file) as AnyCheck;
  example(own, file);
  return { ...own, expect: (...args) => returned(findings, own.expect(...args), 'expect', file) as readonly Finding[] };
}

function formed<Shape extends object>(form: z.ZodType<Shape>, made: unknown, file: string): Shape {
  const result = form.safeParse(made);
  if (result.success) return result.data;
  const { message, hint } = explain(result.error, made);
  throw complaint(message, { file }, 'registry.shape', hint);
}

/** A misspelt key comes first: that the right one is missing is only its echo. */
function explain({ issues }: z.ZodError, made: unknown): { readonly message: string; readonly hint?: string } {
  const stranger = issues.find((issue) => issue.code === 'unrecognized_keys');
  const missing = issues.filter((issue) => issue !== stranger).map((issue) => String(issue.path[0]));
  if (stranger) return { message: `unknown key "${stranger.keys[0]}"`, hint: didYouMean(stranger.keys[0] ?? '', missing).trim() };
  const [issue] = issues;
  if (!issue || issue.path.length === 0)
    return { message: 'its function returns no definition', hint: 'return defineTask({ … }) or defineCheck({ … })' };
  const [key = ''] = issue.path;
  const there = made !== null && typeof made === 'object' && Object.hasOwn(made, key);
  const path = issue.path.map(String).join('.');
  return there
    ? { message: `${path} is not as it should be`, hint: `right is: ${issue.message}` }
    : { message: `${path} is missing`, hint: `it is ${issue.message}` };
}

function watchedAll(definition: object, file: string): object {
  const entries = Object.entries(definition).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'function' ? watched(value as AnyFunction, name, file) : value]),
  );
}

function example({ params, example: value }: { readonly params: z.ZodType; readonly example: unknown }, file: string): void {
  const result = params.safeParse(value);
  if (result.success) return;
  const [issue] = result.error.issues;
  const at = ['example', ...(issue?.path ?? [])].map(String).join('.');
  throw complaint(`${at}: ${issue?.message ?? 'not accepted'}`, { file }, 'registry.example', 'the example must be what params accepts');
}

/** Runs what needs no host on the example: a slip is said before any host is touched. */
function tryExample(own: AnyTask, file: string): void {
  example(own, file);
  const want = own.params.parse(own.example) as unknown;
  returned(words, own.touches(want), 'touches', file);
  returned(shell, own.probe(want), 'probe', file);
}

function returned(form: z.ZodType, value: unknown, name: string, file: string): unknown {
  const result = form.safeParse(value);
  if (result.success) return value;
  const [issue] = result.error.issues;
  const at = (issue?.path ?? []).map(String).join('.');
  throw failure(file, `${name} returns what is not right${at ? ` at ${at}` : ''}: ${issue?.message ?? 'not accepted'}`);
}
