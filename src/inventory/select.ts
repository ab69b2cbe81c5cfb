import { EXIT, LvsError, type Where } from '../errors.ts';
import type { Fleet, Host } from '../model.ts';
import { explainTerm, matchPattern } from './hosts/match-pattern.ts';

/**
 * The hosts that a pattern chooses, in the order of the inventory; see `matchPattern` for the language. A pattern may choose none
 * (`clients` where there are none). Throws LvsError `inventory.unknown-host` (exit 4) for a name, a glob included, that fits nothing;
 * `where` says where the pattern stood.
 *
 * @example selectHosts(fleet, 'backends:!web2')
 */
export function selectHosts(fleet: Fleet, pattern: string, where?: Where): readonly Host[] {
  const names = { hosts: fleet.hosts.map((host) => host.name), groups: fleet.groups };
  const { hosts, unknown } = matchPattern(pattern, names);
  const [bad] = unknown;
  if (bad !== undefined) {
    const { found, hint } = explainTerm(bad, names);
    throw new LvsError(found, { code: 'inventory.unknown-host', exitCode: EXIT.badInput, hint, ...(where && { where }) });
  }
  const chosen = new Set(hosts);
  return fleet.hosts.filter((host) => chosen.has(host.name));
}
