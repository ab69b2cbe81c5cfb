/** `lvsctl tasks`, `checks` and `schema`: the reference, generated from the code that does the work. */
import { stringify } from 'yaml';
import { z } from 'zod';
import { EXIT, LvsError } from '../../errors.ts';
import { nearest } from '../../inventory/nearest.ts';
import { inventoryJsonSchema } from '../../inventory/schema/inventory.ts';
import { loadRegistry, type Registry } from '../../playbook/registry.ts';
import { say } from '../../view/say.ts';

interface Word {
  readonly summary: string;
  readonly params: z.ZodType;
  readonly example: unknown;
  readonly asHandler?: { readonly params: z.ZodType } | undefined;
}

interface ReferenceFlags {
  /** Words of one's own beside it are shown too. */
  readonly playbook?: string;
}

export async function tasks(name: string | undefined, flags: ReferenceFlags): Promise<void> {
  show('task', (await registryOf(flags)).tasks, name);
}

export async function checks(name: string | undefined, flags: ReferenceFlags): Promise<void> {
  show('check', (await registryOf(flags)).checks, name);
}

function registryOf({ playbook }: ReferenceFlags): Promise<Registry> {
  return loadRegistry(playbook === undefined ? [] : [playbook]);
}

export function schema(): void {
  process.stdout.write(`${JSON.stringify(inventoryJsonSchema(), null, 2)}\n`);
}

function show(kind: string, words: ReadonlyMap<string, Word>, name: string | undefined): void {
  if (name === undefined) {
    const width = Math.max(...[...words.keys()].map((word) => word.length));
    for (const [word, { summary }] of words) say(`${word.padEnd(width)}  ${summary}`);
    return;
  }
  const word = words.get(name);
  if (!word) {
    const close = nearest(name, [...words.keys()]);
    throw new LvsError(`there is no ${kind} "${name}"`, {
      code: 'cli.unknown-word',
      exitCode: EXIT.badInput,
      hint: close ? `did you mean "${close}"?` : `"lvsctl ${kind}s" lists them`,
    });
  }
  const listed = parameters(word.params);
  const about = listed.length > 0 ? listed.join('\n') : '  no parameters';
  const handler = word.asHandler ? `as a handler of a play:\n${parameters(word.asHandler.params).join('\n')}\n\n` : '';
  say(`${name}: ${word.summary}\n\n${about}\n\n${handler}example:\n${indent(stringify([{ [name]: word.example }]))}`);
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, '  ');
}

function parameters(params: z.ZodType): readonly string[] {
  const { properties = {}, required = [] } = z.toJSONSchema(params, { unrepresentable: 'any', io: 'input' });
  return Object.entries(properties).map(([key, value]) => {
    const schema = typeof value === 'object' ? value : {};
    const optional = required.includes(key) ? '' : ' (optional)';
    return `  ${key}${optional}: ${schema.description ?? ''}${valuesOf(schema)}`;
  });
}

/** What may be given, and what holds where nothing is. */
function valuesOf({ enum: allowed, default: standard }: z.core.JSONSchema.BaseSchema): string {
  const shown = (value: unknown): string => (typeof value === 'string' ? value || '""' : JSON.stringify(value));
  const one = allowed ? ` One of ${allowed.map(shown).join(', ')}.` : '';
  return standard === undefined ? one : `${one} ${shown(standard)} unless said.`;
}
