import type { Fleet } from '../model.ts';
import type { Complaint, Locate } from './complaints.ts';
import type { InventoryShape } from './schema.ts';

/** What a rule looks at: what was typed, what became of it, and where it stood. */
export interface Draft {
  readonly shape: InventoryShape;
  readonly fleet: Fleet;
  readonly locate: Locate;
}

/** Everything about the inventory as a whole that cannot work. */
export function findFaults(_draft: Draft): readonly Complaint[] {
  return [];
}
