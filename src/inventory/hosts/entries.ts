import type { Role } from '../../model.ts';
import type { Path } from '../complaints.ts';
import type { SshShape } from '../schema/host.ts';
import type { InventoryShape } from '../schema/inventory.ts';

/** The section of the inventory that makes a host what it is. */
export type Section = 'directors' | 'backends' | 'clients';

export const sections: readonly Section[] = ['directors', 'backends', 'clients'];
const roles: Readonly<Record<Section, Role>> = { directors: 'director', backends: 'backend', clients: 'client' };

/** What may be said about a host of any role. */
export interface HostShape {
  readonly address: string;
  readonly interfaces?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly ssh?: SshShape | undefined;
  readonly vars?: Readonly<Record<string, unknown>> | undefined;
  readonly priority?: number | Readonly<Record<string, number>> | undefined;
  readonly dip?: string | undefined;
  readonly rip?: string | readonly string[] | undefined;
  readonly weight?: number | undefined;
  readonly sources?: readonly string[] | undefined;
}

/** A host as the inventory says it, and where it says so. */
export interface HostEntry {
  readonly name: string;
  readonly role: Role;
  readonly section: Section;
  readonly path: Path;
  readonly said: HostShape;
}

/** All hosts: directors, backends, clients, each in the order of the file. */
export function hostEntries(shape: InventoryShape): readonly HostEntry[] {
  return sections.flatMap((section) => {
    const hosts: Readonly<Record<string, HostShape>> = shape[section] ?? {};
    return Object.entries(hosts).map(([name, said]) => ({ name, role: roles[section], section, path: [section, name], said }));
  });
}

/** The backends that a service or site names, and what it says of them; `names` is undefined where it takes all. */
export function chosenBackends<Settings>(backends: 'all' | readonly string[] | Readonly<Record<string, Settings>>): {
  readonly names: readonly string[] | undefined;
  readonly settings: Readonly<Record<string, Settings>>;
} {
  if (backends === 'all') return { names: undefined, settings: {} };
  if (isList(backends)) return { names: backends, settings: {} };
  return { names: Object.keys(backends), settings: backends };
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value);
}
