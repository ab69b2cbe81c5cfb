/** What an ssh_config says of one host: the first value obtained for a keyword wins, as for ssh. Pure. */
import { userInfo } from 'node:os';
import type { ConfigLine } from './config.ts';
import { globPattern } from './known-hosts.ts';

export interface Asked {
  /** What `Host` patterns are compared with: the name on the command line; for a host of the inventory its name and its address. */
  readonly names: readonly string[];
  /** Where ssh goes, when somebody has said it already; HostName is not asked then. */
  readonly address?: string;
  /** Who logs in, when somebody has said it already. */
  readonly user?: string;
}

export interface ConfigValues {
  /** The line that won. `proxycommand` and `proxyjump` are one keyword, `proxy`: the first of either rules out the other. */
  readonly first: (keyword: string) => ConfigLine | undefined;
  /** Every line, for what may be said more than once. */
  readonly all: (keyword: string) => readonly ConfigLine[];
  /** Sentences about lines that were passed over though they may have been meant for this host. */
  readonly notes: readonly string[];
}

interface Search extends Asked {
  readonly found: Map<string, ConfigLine[]>;
  readonly notes: string[];
}

export function configValues(lines: readonly ConfigLine[], asked: Asked): ConfigValues {
  const search: Search = { ...asked, found: new Map(), notes: [] };
  collect(lines, search);
  return {
    first: (keyword) => search.found.get(keyword)?.[0],
    all: (keyword) => search.found.get(keyword) ?? [],
    notes: search.notes,
  };
}

/** A section of an included file ends with that file. */
function collect(lines: readonly ConfigLine[], search: Search): void {
  let active = true;
  for (const line of lines) {
    if (line.keyword === 'host') active = listMatches(line.values, search.names);
    else if (line.keyword === 'match') active = criteriaMatch(line, search);
    else if (active && line.included) for (const file of line.included) collect(file, search);
    else if (active) {
      const keyword = line.keyword === 'proxycommand' || line.keyword === 'proxyjump' ? 'proxy' : line.keyword;
      search.found.set(keyword, [...(search.found.get(keyword) ?? []), line]);
    }
  }
}

/** `web* !web2`: any pattern, and none of those with an exclamation mark. Capitals count. */
function listMatches(patterns: readonly string[], names: readonly string[]): boolean {
  const hit = (pattern: string): boolean => names.some((name) => globPattern(pattern).test(name));
  if (patterns.some((pattern) => pattern.startsWith('!') && hit(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && hit(pattern));
}

/** All criteria must hold. One that is not ours to judge (exec, final, canonical, …) never holds, and is noted when the others did. */
function criteriaMatch(line: ConfigLine, search: Search): boolean {
  const words = [...line.values];
  const foreign: string[] = [];
  while (words.length > 0) {
    const word = words.shift() ?? '';
    const negated = word.startsWith('!');
    const criterion = word.replace(/^!/, '').toLowerCase();
    if (criterion === 'all') {
      if (negated) return false;
      continue;
    }
    const subjects = subjectsOf(criterion, search);
    if (subjects === undefined) foreign.push(criterion);
    if (criterion === 'final' || criterion === 'canonical') continue;
    const patterns = (words.shift() ?? '').split(',');
    // As for ssh: in names of hosts capitals do not count here, though they do after `Host`.
    const folded = criterion.endsWith('host') ? (text: string) => text.toLowerCase() : (text: string) => text;
    if (subjects && listMatches(patterns.map(folded), subjects.map(folded)) === negated) return false;
  }
  if (foreign.length > 0)
    search.notes.push(`${line.file}:${line.line}: "Match ${foreign.join(' ')}" is not evaluated, its lines are passed over`);
  return foreign.length === 0;
}

function subjectsOf(criterion: string, { found, names, address, user }: Search): readonly string[] | undefined {
  const said = (keyword: string): string | undefined => found.get(keyword)?.[0]?.values[0];
  switch (criterion) {
    case 'host':
      return address !== undefined ? [...names, address] : [hostName(said('hostname'), names[0] ?? '')];
    case 'originalhost':
      return names;
    case 'user':
      return [user ?? said('user') ?? userInfo().username];
    case 'localuser':
      return [userInfo().username];
    default:
      return undefined;
  }
}

/** HostName with what stands in for the name itself, as it is where Match looks at it. */
function hostName(said: string | undefined, name: string): string {
  return said?.replace(/%(h|%)/g, (_, token) => (token === 'h' ? name : '%')) ?? name;
}
