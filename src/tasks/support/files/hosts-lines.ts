/** Lines of /etc/hosts (hosts(5)): an address, then names, then perhaps a comment. Pure. */
import ipaddr from 'ipaddr.js';
import type { LineEdit } from './edit-lines.ts';

export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** One form for one address: `::1` and `0:0:0:0:0:0:0:1` are the same. What is no address stays as it is. */
export function sameForm(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.parse(address).toString() : address;
}

function parse(line: string): HostsEntry | undefined {
  const [address, ...names] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/);
  return address === undefined || address === '' || names.length === 0 ? undefined : { address: sameForm(address), names };
}

const family = (address: string): string => (address.includes(':') ? 'IPv6' : 'IPv4');
const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** What makes every name lead to its address and, within that family, to no other. */
export function bindNames(content: string, wanted: readonly HostsEntry[]): readonly LineEdit[] {
  const strays = (entry: HostsEntry): readonly string[] =>
    wanted.flatMap(({ address, names }) => (address !== entry.address && family(address) === family(entry.address) ? names : []));
  const freed = rewrite(content, (entry) => strays(entry));
  return [...freed, ...wanted.flatMap((entry) => added(content, entry))];
}

/** What takes the names away from these addresses. */
export function freeNames(content: string, unwanted: readonly HostsEntry[]): readonly LineEdit[] {
  return rewrite(content, (entry) => unwanted.flatMap(({ address, names }) => (address === entry.address ? names : [])));
}

/** Takes from each line the names that `unwanted` says of it; a line without names goes. */
function rewrite(content: string, unwanted: (entry: HostsEntry) => readonly string[]): readonly LineEdit[] {
  return content.split('\n').flatMap((line): readonly LineEdit[] => {
    const entry = parse(line);
    if (!entry) return [];
    const gone = entry.names.filter((name) => unwanted(entry).some((other) => sameName(name, other)));
    if (gone.length === 0) return [];
    if (gone.length === entry.names.length) return [{ kind: 'remove', old: line }];
    return [{ kind: 'replace', old: line, by: gone.reduce(withoutName, line) }];
  });
}

function withoutName(line: string, name: string): string {
  const [before = '', ...comment] = line.split('#');
  const words = before.split(/(\s+)/);
  const at = words.findIndex((word, index) => index > 1 && word === name);
  return [words.toSpliced(at - 1, 2).join(''), ...comment].join('#');
}

/** The names that lead to the address nowhere yet: on a new line, so that no other step's line is touched. */
function added(content: string, { address, names }: HostsEntry): readonly LineEdit[] {
  const there = content.split('\n').flatMap((line) => {
    const entry = parse(line);
    return entry?.address === address ? entry.names : [];
  });
  const missing = names.filter((name) => !there.some((other) => sameName(name, other)));
  return missing.length === 0 ? [] : [{ kind: 'insert', line: [address, ...missing].join(' '), at: 'end' }];
}
