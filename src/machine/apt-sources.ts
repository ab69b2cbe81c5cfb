import { EXIT, LvsError } from '../errors.ts';
import type { LabSettings } from '../model.ts';

/** The format of `apt-get indextargets` that `aptSources` reads. */
export const indexTargetsFormat = '$(CREATED_BY)|$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)';

/**
 * The machine's own Debian sources, as one-line entries for `release`: whatever mirror the machine uses serves the lab too. Release,
 * updates and security only; a `bookworm-security` becomes `trixie-security` when the lab wants trixie.
 */
export function aptSources(indexTargets: string, release: LabSettings['release']): readonly string[] {
  const entries = new Map<string, Set<string>>();
  for (const line of indexTargets.split('\n')) {
    const [createdBy, origin, uri, suite, component, signedBy] = line.split('|');
    if (createdBy !== 'Packages' || origin !== 'Debian' || !uri?.includes('://') || !suite || !component) continue; // no cdrom:
    const pocket = /^[a-z]+(-updates|-security)?$/.exec(suite);
    if (!pocket) continue;
    const key = signedBy && !signedBy.startsWith('$') ? `[signed-by=${signedBy}] ` : '';
    const entry = `deb ${key}${uri} ${release}${pocket[1] ?? ''}`;
    entries.set(entry, (entries.get(entry) ?? new Set()).add(component));
  }
  if (![...entries.keys()].some((entry) => entry.endsWith(` ${release}`))) throw noSources();
  return [...entries].map(([entry, components]) => `${entry} ${[...components].join(' ')}`);
}

function noSources(): LvsError {
  return new LvsError('apt of this machine knows no Debian source with package lists', {
    code: 'lab.apt-sources',
    exitCode: EXIT.badInput,
    hint: '`apt-get update` as root fetches the lists',
  });
}
