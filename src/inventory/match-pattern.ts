import { didYouMean } from './nearest.ts';

/** The names that patterns choose from. */
export interface Names {
  /** In the order in which the result shall be. */
  readonly hosts: readonly string[];
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** What a pattern chose; `unknown` are its terms that name nothing. */
export interface Match {
  readonly hosts: readonly string[];
  readonly unknown: readonly string[];
}

/**
 * Chooses hosts as Ansible does: terms between `:` or `,`; each is a host, a group or a glob of either (`*`, `?`). Terms add up,
 * then `&term` keeps only what is in it, then `!term` takes away, in whatever order they stand. Where every term is a `&` or `!` the
 * start is all hosts.
 */
export function matchPattern(pattern: string, names: Names): Match {
  const terms = pattern.split(/[:,]/).map((term) => term.trim());
  const found = terms
    .filter((term) => term !== '')
    .map((term) => ({ sign: /^[!&]/.exec(term)?.[0] ?? '', term: term.replace(/^[!&]\s*/, '') }));
  const resolved = found.map(({ sign, term }) => ({ sign, term, hosts: resolveTerm(term, names) }));
  const signed = (sign: string) => resolved.filter((item) => item.sign === sign).map((item) => item.hosts ?? new Set<string>());
  const added = signed('');
  const chosen = names.hosts.filter((host) => {
    const within = added.length === 0 ? resolved.length > 0 : added.some((set) => set.has(host));
    return within && signed('&').every((set) => set.has(host)) && !signed('!').some((set) => set.has(host));
  });
  const unknown = resolved.filter((item) => item.hosts === undefined).map((item) => item.term);
  return { hosts: chosen, unknown: found.length === 0 ? [pattern] : unknown };
}

/** The hint for a term that names nothing. */
export function unknownHint(term: string, { hosts, groups }: Names): string {
  const known = [...Object.keys(groups), ...hosts];
  const some = known.slice(0, 12).join(', ');
  return `${didYouMean(term, known)}known: ${some}${known.length > 12 ? ', …' : ''}`;
}

/** The hosts of one term; undefined when nothing has that name. */
function resolveTerm(term: string, { hosts, groups }: Names): ReadonlySet<string> | undefined {
  const fits = globTest(term);
  const fittingGroups = Object.keys(groups).filter(fits);
  const fittingHosts = hosts.filter(fits);
  if (fittingGroups.length + fittingHosts.length === 0) return undefined;
  return new Set([...fittingGroups.flatMap((name) => groups[name] ?? []), ...fittingHosts]);
}

function globTest(term: string): (name: string) => boolean {
  if (!/[*?]/.test(term)) return (name) => name === term;
  const form = term
    .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  const pattern = new RegExp(`^${form}$`);
  return (name) => pattern.test(name);
}
