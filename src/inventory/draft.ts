import type { Fleet, Host, VirtualServer } from '../model.ts';
import type { Locate, Path } from './complaints.ts';
import type { InventoryShape, ServiceShape } from './schema.ts';

/** What a rule looks at: what was typed, what became of it, and where it stood. */
export interface Draft {
  readonly shape: InventoryShape;
  readonly fleet: Fleet;
  readonly locate: Locate;
}

/** One service as typed and as built, and its position in the list. */
export interface Subject {
  readonly said: ServiceShape;
  readonly built: VirtualServer;
  readonly index: number;
}

/** `(line 31)`: for a complaint that has to name a second place. */
export function lineOf({ locate }: Draft, path: Path, atKey = false): string {
  return `(line ${locate({ at: path, atKey }).line})`;
}

/** `10.18.43.10/24 (eth0), 10.18.43.12/24 (eth1)` */
export function networksOf(host: Host): string {
  return host.interfaces.map((nic) => `${nic.address} (${nic.name})`).join(', ');
}
