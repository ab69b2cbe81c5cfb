/** The example cluster, and playbooks as text bound to it. */
import { formatError, LvsError } from '../../src/errors.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { type BindOptions, bindPlaybook } from '../../src/playbook/bind.ts';
import { parsePlaybook } from '../../src/playbook/load.ts';
import { loadRegistry } from '../../src/playbook/registry.ts';

export const { fleet } = loadInventory('inventory/dr.yaml');
export const registry = await loadRegistry();

export function bindText(text: string, options: BindOptions = {}, over = fleet): ReturnType<typeof bindPlaybook> {
  return bindPlaybook(parsePlaybook(text, 'book.yaml'), over, registry, options);
}

/** The line that people see, of a complaint about bad input; anything else that is thrown is thrown on. */
export function complaintOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof LvsError && error.exitCode === 4) return formatError(error);
    throw error;
  }
  throw new Error('accepted');
}
