/** The words of a playbook: every file in src/tasks/ and src/checks/ is one, found by its name. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT, LvsError } from '../errors.ts';
import type { AnyCheck, AnyTask } from '../task.ts';

export interface Registry {
  readonly tasks: ReadonlyMap<string, AnyTask>;
  readonly checks: ReadonlyMap<string, AnyCheck>;
}

/** Loads every task and check there is. */
export async function loadRegistry(): Promise<Registry> {
  const [tasks, checks] = await Promise.all([words<AnyTask>('tasks'), words<AnyCheck>('checks')]);
  return { tasks, checks };
}

async function words<Definition>(folder: string): Promise<ReadonlyMap<string, Definition>> {
  const directory = new URL(`../${folder}/`, import.meta.url);
  const files = readdirSync(fileURLToPath(directory)).filter((file) => /^[a-z0-9_]+\.(ts|js)$/.test(file));
  const loaded = files.sort().map(async (file) => {
    const module = (await import(new URL(file, directory).href)) as { readonly default?: Definition };
    if (!module.default) {
      throw new LvsError(`${folder}/${file} has no default export`, { code: 'registry.no-default', exitCode: EXIT.badInput });
    }
    return [file.replace(/\.(ts|js)$/, ''), module.default] as const;
  });
  return new Map(await Promise.all(loaded));
}
