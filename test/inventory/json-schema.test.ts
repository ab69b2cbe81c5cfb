import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { inventoryJsonSchema } from '../../src/inventory/schema/inventory.ts';

interface Part {
  readonly description?: string;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Part>>;
  readonly additionalProperties?: Part | boolean;
  readonly items?: Part;
  readonly anyOf?: readonly Part[];
}

/** `services.items.vip` and every other named field, with its part of the schema. */
function fields(part: Part, at: string): readonly (readonly [string, Part])[] {
  const named = Object.entries(part.properties ?? {}).map(([key, inner]) => [`${at}.${key}`, inner] as const);
  const others = [part.items, typeof part.additionalProperties === 'object' ? part.additionalProperties : undefined, ...(part.anyOf ?? [])];
  const below = [...named, ...others.filter((inner) => inner !== undefined).map((inner) => [`${at}.*`, inner] as const)];
  return [...named, ...below.flatMap(([path, inner]) => fields(inner, path))];
}

describe('the JSON Schema for editors', () => {
  const schema = inventoryJsonSchema();

  it('describes every field', () => {
    const all = fields(schema as Part, '');
    expect(all.length).toBeGreaterThan(60);
    expect(all.filter(([, part]) => !part.description).map(([path]) => path)).toEqual([]);
  });

  it('accepts inventory/dr.yaml, asks for what it cannot do without, and refuses unknown keys', () => {
    const example = parse(readFileSync(new URL('../../inventory/dr.yaml', import.meta.url), 'utf8')) as Record<string, unknown>;
    const check = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    expect(check.safeParse(example).error).toBeUndefined();
    expect(check.safeParse({ ...example, firewal: 'off' }).success).toBe(false);
    const range = { address: '10.18.43.[13:15]', interfaces: { eth0: '10.18.43.[13:15]/24' } };
    expect(check.safeParse({ ...example, backends: { 'web[1:3]': range } }).error).toBeUndefined();
    expect(check.safeParse({ ...example, backends: { web1: { address: '10.18.43' } } }).success).toBe(false);
    expect(schema).toMatchObject({ required: ['cluster', 'directors', 'backends'] });
  });

  it('holds no pattern that is ours alone: secrets may be longer than passwords, and editors differ over Unicode', () => {
    const texts = fields(schema as Part, '').flatMap(([, part]) => part.pattern ?? []);
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.filter((pattern) => /\\uE000|\\p\{/.test(pattern))).toEqual([]);
  });
});
