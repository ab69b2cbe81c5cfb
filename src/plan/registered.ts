/** What steps say under the names that `register` gives them. */
import type { Registered, Step } from '../model.ts';

/** Adds to `all` what the step said. The turns of a loop share a name: `results` has them in order. */
export function remember(all: Record<string, Registered>, { id, register }: Pick<Step, 'id' | 'register'>, said: Registered): void {
  if (register === undefined) return;
  const [, , turn] = id.split('.');
  if (turn === undefined) {
    all[register] = said;
    return;
  }
  const before = (all[register]?.results as readonly Registered[] | undefined) ?? [];
  const results = [...before, said];
  all[register] = { changed: results.some(({ changed }) => changed), skipped: results.every(({ skipped }) => skipped), results };
}
