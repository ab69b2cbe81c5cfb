/** The words of a playbook: every file in src/tasks/ and src/checks/ is one, found by its name. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT, LvsError } from '../errors.ts';
import type { AnyCheck, AnyTask } from '../task.ts';

export interface Registry {
  readonly tasks: ReadonlyMap<string, AnyTask>;
  readonly checks: ReadonlyMap<string, AnyCheck>;
}

/** Loads every task and check there is, or only those that are wanted: reading all of them takes as long as a host does to answer. */
export async function loadRegistry(wanted: (word: string) => boolean = () => true): Promise<Registry> {
  const [tasks, checks] = await Promise.all([words<AnyTask>('tasks', wanted), words<AnyCheck>('checks', wanted)]);
  return { tasks, checks };
}

async function words<Definition>(folder: string, wanted: (word: string) => boolean): Promise<ReadonlyMap<string, Definition>> {
  const directory = new URL(`../${folder}/`, import.meta.url);
  const files = readdirSync(fileURLToPath(directory)).filter((file) => {
    const [, word] = /^([a-z0-9_]+)\.(?:ts|js)$/.exec(file) ?? [];
    return word !== undefined && wanted(word);
  });
  const loaded = files.sort().map(async (file) => {
    const module = (await import(new URL(file, directory).href)) as { readonly default?: Definition };
    if (!module.default) {
      throw new LvsError(`${folder}/${file} has no default export`, { code: 'registry.no-default', exitCode: EXIT.badInput });
    }
    return [file.replace(/\.(ts|js)$/, ''), module.default] as const;
  });
  return new Map(await Promise.all(loaded));
}
