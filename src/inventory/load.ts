import { EXIT, LvsError } from '../errors.ts';
import type { Fleet } from '../model.ts';
import type { SecretsFile } from '../secrets/open.ts';
import { besideInventory } from '../secrets/read-file.ts';
import { buildFleet } from './build/fleet.ts';
import { toError } from './complaints.ts';
import { defined } from './defined.ts';
import { readUtf8, whyUnreadable } from './document/read-utf8.ts';
import { readYaml } from './document/yaml-source.ts';
import { allowedWords, explainIssues } from './explain.ts';
import { resolveGroups } from './hosts/groups.ts';
import { expandHosts } from './hosts/host-ranges.ts';
import { findFaults } from './rules/find-faults.ts';
import { inventorySchema, type SecretsShape } from './schema/inventory.ts';

/** An inventory that may be used. */
export interface Inventory {
  readonly fleet: Fleet;
  /** Names of the secrets that it wants, each once. */
  readonly secretNames: readonly string[];
  /** Where values of secrets lie, encrypted. */
  readonly secrets?: SecretsFile;
}

/** Reads and checks an inventory file. Throws as `parseInventory`, and LvsError `inventory.unreadable` (exit 4). */
export function loadInventory(file: string): Inventory {
  return parseInventory(readText(file), file);
}

/**
 * YAML text → Fleet. Sieves, each complete: YAML, ranges of hosts, then the form of every value, then how the values fit together. Throws
 * LvsError (exit 4) for the first complaint, the further ones as its `others`: all of the first sieve that has any, each with file, line
 * and column.
 */
export function parseInventory(text: string, file: string): Inventory {
  const yaml = readYaml(text);
  if (yaml.complaints.length > 0) throw toError(yaml.complaints, file, yaml.locate);
  const source = expandHosts(yaml.value, yaml.locate);
  if (source.complaints.length > 0) throw toError(source.complaints, file, yaml.locate);
  const parsed = inventorySchema.safeParse(source.value, { error: allowedWords });
  if (!parsed.success) {
    throw toError(source.once(explainIssues(parsed.error.issues, source.value)), file, source.locate);
  }
  const resolved = resolveGroups(parsed.data);
  const fleet = buildFleet(parsed.data, resolved, file);
  const faults = [...resolved.complaints, ...findFaults({ shape: parsed.data, fleet, locate: source.locate })];
  if (faults.length > 0) throw toError(source.once(faults), file, source.locate);
  const { secrets } = parsed.data;
  return { fleet, secretNames: yaml.secretNames, ...(secrets && { secrets: buildSecrets(secrets, file) }) };
}

function buildSecrets({ file, identity }: SecretsShape, inventory: string): SecretsFile {
  return defined({ file: besideInventory(inventory, file), identity: identity && besideInventory(inventory, identity) });
}

function readText(file: string): string {
  try {
    return readUtf8(file);
  } catch (cause) {
    if (cause instanceof LvsError) throw cause;
    const hint = 'the first argument is the path of an inventory, such as inventory/dr.yaml';
    throw new LvsError(whyUnreadable(cause), { code: 'inventory.unreadable', exitCode: EXIT.badInput, where: { file }, hint, cause });
  }
}
