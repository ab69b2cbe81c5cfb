import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Example } from './example.ts';

const folder = new URL('examples/', import.meta.url);

/** Every example that there is, by its name. */
export async function every(): Promise<ReadonlyMap<string, Example>> {
  const files = readdirSync(fileURLToPath(folder))
    .filter((file) => file.endsWith('.ts'))
    .sort();
  const load = async (file: string) =>
    [file.replace(/\.ts$/, ''), ((await import(new URL(file, folder).href)) as { default: Example }).default] as const;
  return new Map(await Promise.all(files.map(load)));
}

/** Inventories that come with lvsctl and that no example is for. */
export function unproven(examples: ReadonlyMap<string, Example>): readonly string[] {
  const all = readdirSync('inventory').filter((file) => file.endsWith('.yaml'));
  const proven = new Set([...examples.values()].map(({ inventory }) => inventory));
  return all.map((file) => `inventory/${file}`).filter((file) => !proven.has(file));
}
