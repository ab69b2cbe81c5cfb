import { formatValue } from '../complaints.ts';
import { didYouMean } from '../nearest.ts';
import { expandName, pickFrom } from './subscript.ts';

/** The names that patterns choose from. */
export interface Names {
  /** In the order in which the result shall be. */
  readonly hosts: readonly string[];
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** A term that cannot be followed. */
export interface BadTerm {
  readonly term: string;
  /** Said where it is not simply that nothing has this name. */
  readonly why?: string;
}

/** What a pattern chose, and its terms that name nothing. */
export interface Match {
  readonly hosts: readonly string[];
  readonly unknown: readonly BadTerm[];
}

/**
 * Chooses hosts as Ansible does: terms between `:` or `,`; each is a host, a group, a glob of either (`*`, `?`), a regular expression
 * behind `~`, hosts of a group by position (`backends[0]`, `backends[1:]`), or a range of names (`web[01:20]`). Terms add up, then
 * `&term` keeps only what is in it, then `!term` takes away, in whatever order they stand. Where every term is a `&` or `!` the start is
 * all hosts.
 */
export function matchPattern(pattern: string, names: Names): Match {
  const found = termsOf(pattern).map((term) => ({ sign: /^[!&]/.exec(term)?.[0] ?? '', term: term.replace(/^[!&]\s*/, '') }));
  const resolved = found.map(({ sign, term }) => ({ sign, term, result: resolveTerm(term, names) }));
  const signed = (sign: string) =>
    resolved.filter((item) => item.sign === sign).map(({ result }) => (result instanceof Set ? result : new Set<string>()));
  const [added, kept, taken] = [signed(''), signed('&'), signed('!')];
  const chosen = names.hosts.filter((host) => {
    const within = added.length === 0 ? resolved.length > 0 : added.some((set) => set.has(host));
    return within && kept.every((set) => set.has(host)) && !taken.some((set) => set.has(host));
  });
  const unknown = resolved.flatMap(({ term, result }) => (result instanceof Set ? [] : [{ term, ...(result && { why: result }) }]));
  return { hosts: chosen, unknown: found.length === 0 ? [{ term: pattern }] : unknown };
}

/** The parts of a pattern; a separator inside brackets separates nothing: `~web(?:1|2)`, `web[1:3]`. */
export function termsOf(pattern: string): readonly string[] {
  const terms = [''];
  let depth = 0;
  for (const character of pattern) {
    if ('[('.includes(character)) depth += 1;
    if ('])'.includes(character)) depth = Math.max(0, depth - 1);
    if (depth === 0 && ':,'.includes(character)) terms.push('');
    else terms[terms.length - 1] += character;
  }
  return terms.map((term) => term.trim()).filter((term) => term !== '');
}

/** The name that a term without any sign, glob or bracket is. */
export function plainName(term: string): string | undefined {
  return /^[\w-]+$/.test(term) ? term : undefined;
}

/** What is wrong with a term, and the hint for it. */
export function explainTerm({ term, why }: BadTerm, { hosts, groups }: Names): { readonly found: string; readonly hint: string } {
  if (why !== undefined) {
    return {
      found: `the pattern ${formatValue(term)} cannot be followed: ${why}`,
      hint: '"Host patterns" in docs/playbooks.md has examples',
    };
  }
  const known = [...Object.keys(groups), ...hosts];
  const some = known.slice(0, 12).join(', ');
  const hint = `${didYouMean(term, known)}known: ${some}${known.length > 12 ? ', …' : ''}`;
  return { found: `no host or group is called ${formatValue(term)}`, hint };
}

/** The hosts of one term; undefined when nothing has that name, text when there is more to say. */
function resolveTerm(term: string, names: Names): Set<string> | string | undefined {
  const test = term.startsWith('~') ? regexTest(term.slice(1)) : globTest(term);
  if (typeof test === 'string') return test;
  const fitting = fits(test, names);
  if (fitting) return new Set(fitting);
  const [, base = '', inside] = /^(.+)\[([^[\]]*)\]$/.exec(term) ?? [];
  const pool = inside === undefined || base.startsWith('~') ? undefined : fits(globTest(base), names);
  const named = expandName(term);
  const allNamed = named?.every((name) => names.hosts.includes(name)) ?? false;
  if (!pool || inside === undefined) return named ? (allNamed ? new Set(named) : firstMissing(named, names)) : undefined;
  const picked = pickFrom(pool, inside);
  if (!Array.isArray(picked)) return `${base} has ${pool.length} ${pool.length === 1 ? 'host' : 'hosts'}, counted from 0, and ${picked}`;
  const same = picked.length === named?.length && picked.every((name) => named.includes(name));
  if (allNamed && !same) return `it can mean ${named?.join(', ')}, or by position in ${base} ${picked.join(', ')}; write the names`;
  return new Set(picked);
}

function firstMissing(named: readonly string[], { hosts }: Names): string | undefined {
  const there = named.filter((name) => hosts.includes(name));
  if (there.length === 0) return undefined;
  return `there is no ${named.filter((name) => !hosts.includes(name)).join(', ')}`;
}

/** The hosts whose name passes, and those of groups whose name does, in the order of the inventory; undefined where no name passes. */
function fits(test: (name: string) => boolean, { hosts, groups }: Names): readonly string[] | undefined {
  const fittingGroups = Object.keys(groups).filter(test);
  const fittingHosts = hosts.filter(test);
  if (fittingGroups.length + fittingHosts.length === 0) return undefined;
  const all = new Set([...fittingGroups.flatMap((name) => groups[name] ?? []), ...fittingHosts]);
  return hosts.filter((host) => all.has(host));
}

/** As Ansible's: from the start of the name, not to its end. */
function regexTest(source: string): ((name: string) => boolean) | string {
  try {
    const pattern = new RegExp(`^(?:${source})`);
    return (name) => pattern.test(name);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
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
