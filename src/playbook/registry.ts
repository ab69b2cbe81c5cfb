/** The words of a playbook: every file in src/tasks/ and src/checks/ is one, found by its name; so are a user's own beside the playbook. */
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, LvsError } from '../errors.ts';
import type { AnyCheck, AnyTask } from '../task.ts';
import { checkForm, taskForm } from './own-forms.ts';
import { loadOwnWords } from './own-words.ts';

export interface Registry {
  readonly tasks: ReadonlyMap<string, AnyTask>;
  readonly checks: ReadonlyMap<string, AnyCheck>;
}

/** Loads every task and check there is, and those in `tasks/` and `checks/` beside these playbooks. Throws LvsError (exit 4). */
export async function loadRegistry(playbooks: readonly string[] = []): Promise<Registry> {
  const [tasks, checks] = await Promise.all([words<AnyTask>('tasks'), words<AnyCheck>('checks')]);
  for (const folder of foldersOf(playbooks)) {
    for (const [name, task] of await loadOwnWords(join(folder, 'tasks'), 'task', tasks, taskForm)) tasks.set(name, task);
    for (const [name, check] of await loadOwnWords(join(folder, 'checks'), 'check', checks, checkForm)) checks.set(name, check);
  }
  return { tasks, checks };
}

/** Each folder once, as it was typed. */
function foldersOf(playbooks: readonly string[]): readonly string[] {
  const folders = playbooks.map(dirname);
  return folders.filter((folder, index) => folders.findIndex((other) => resolve(other) === resolve(folder)) === index);
}

async function words<Definition>(folder: string): Promise<Map<string, Definition>> {
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
