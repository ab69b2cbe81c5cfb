/** Golden configurations of keepalived: what `deploy` would write for the directors of small fleets, and of every example inventory. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { loadInventory } from '../../src/inventory/load.ts';
import type { Fleet } from '../../src/model.ts';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { parsePlaybook } from '../../src/playbook/load.ts';
import { loadRegistry } from '../../src/playbook/registry.ts';
import type { KeepalivedWant } from '../../src/tasks/support/keepalived/params.ts';

/** Versions for which configurations are written: EL 8 and Debian 11, Debian 12, EL 9, Debian 13, upstream. */
export const versions = ['2.1.5', '2.2.7', '2.2.8', '2.3.3', '2.4.3'] as const;

export interface DirectorCase {
  /** `nat-dr1`. */
  readonly name: string;
  readonly fleet: Fleet;
  readonly host: string;
  readonly want: KeepalivedWant;
}

const folder = 'test/golden/keepalived';

/** Where the configuration of the case for a version lies: one file serves all versions from its own to the next file's. */
export function goldenFile(name: string, version: string): string | undefined {
  const upTo = versions.slice(0, versions.indexOf(version as (typeof versions)[number]) + 1);
  return upTo.map((each) => `${folder}/${name}-${each}.conf`).findLast((file) => existsSync(file));
}

/** The fleets beside the golden files, each director of each. */
export async function goldenCases(): Promise<readonly DirectorCase[]> {
  return await directorsIn(`${folder}/fleets`);
}

/** The example inventories, each director of those with VRRP; their golden files lie in a folder of their own. */
export async function exampleCases(): Promise<readonly DirectorCase[]> {
  const cases = await directorsIn('inventory');
  return cases.map((each) => ({ ...each, name: `examples/${each.name}` }));
}

async function directorsIn(path: string): Promise<readonly DirectorCase[]> {
  const playbook = await keepalivedAlone();
  const registry = await loadRegistry();
  const inventories = readdirSync(path).filter((file) => file.endsWith('.yaml'));
  return inventories.flatMap((file) => {
    const { fleet } = loadInventory(`${path}/${file}`);
    if (!fleet.vrrp) return [];
    const steps = bindPlaybook(playbook, fleet, registry)[0]?.steps ?? {};
    return Object.entries(steps).flatMap(([host, [step]]) =>
      step ? [{ name: `${file.replace('.yaml', '')}-${host}`, fleet, host, want: step.want as KeepalivedWant }] : [],
    );
  });
}

/** The step of `deploy`, on its own: its expressions are what is proven here. */
async function keepalivedAlone() {
  const steps = parse(await readFile('playbooks/deploy/keepalived.yaml', 'utf8')) as readonly object[];
  const tasks = steps.filter((entry) => 'keepalived' in entry);
  return parsePlaybook(stringify([{ name: 'keepalived', hosts: 'directors', tasks }]), 'keepalived.yaml');
}
