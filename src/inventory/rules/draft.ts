import type { Fleet, Host, VirtualServer } from '../../model.ts';
import { addressOf } from '../addresses.ts';
import type { Locate, Path } from '../complaints.ts';
import type { InventoryShape } from '../schema/inventory.ts';
import type { ServiceShape } from '../schema/service.ts';

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
  return host.interfaces.flatMap((nic) => nic.addresses.map((address) => `${address} (${nic.name})`)).join(', ');
}

/** A value that may be one or a list, with the place of each. */
export function placed(said: string | readonly string[] | undefined, path: Path): readonly { readonly value: string; readonly at: Path }[] {
  if (said === undefined) return [];
  return typeof said === 'string' ? [{ value: said, at: path }] : said.map((value, index) => ({ value, at: [...path, index] }));
}

/** Every place that says a VIP or another address that moves between directors. */
export function vipPlaces({ shape }: Draft): readonly { readonly vip: string; readonly path: Path }[] {
  const services = (shape.services ?? []).map(({ vip }, index) => ({ vip, path: ['services', index, 'vip'] }));
  const sites = (shape.proxy?.sites ?? []).map(({ vip }, index) => ({ vip, path: ['proxy', 'sites', index, 'vip'] }));
  const gateway = shape.nat ? [{ vip: addressOf(shape.nat.gateway), path: ['nat', 'gateway'] }] : [];
  return [...services, ...sites, ...gateway];
}
