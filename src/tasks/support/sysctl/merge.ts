/**
 * What a host's sysctl files come to after a boot: systemd-sysctl's rules (sysctl.d(5), sysctl.c of systemd 252), and those of
 * `sysctl --system`, which reads /etc/sysctl.conf last. Pure: the files come from a probe.
 */
import { isPattern, matchesPattern } from '../path-pattern.ts';

export interface SysctlFile {
  /** Where it lies; its name gives the order. */
  readonly path: string;
  /** What it is where `path` is a symbolic link; otherwise the same. */
  readonly real: string;
  readonly content: string;
}

/** One line that sets a key, a pattern of keys, or (`value` undefined, `-key`) keeps the key from being set. */
export interface SysctlLine {
  readonly file: SysctlFile;
  /** From 0. */
  readonly index: number;
  readonly text: string;
  /** Below /proc/sys; may be a pattern. */
  readonly path: string;
  readonly value: string | undefined;
}

/** Folders in order of precedence: a file hides those of the same name in later folders. */
export const sysctlFolders = ['/etc/sysctl.d', '/run/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d', '/lib/sysctl.d'] as const;

/**
 * The path below /proc/sys. A key whose first separator is a slash is one already; otherwise dots and slashes change places, so that
 * `net.ipv4.conf.eth0/100.arp_ignore` names the interface eth0.100.
 */
export function sysctlPath(key: string): string {
  const plain = /^[^./]*\//.test(key) ? key : swap(key);
  return plain.replace(/\/+/g, '/').replace(/^\//, '').replace(/\/$/, '');
}

/** The key with dots, as sysctl(8) shows it; the reverse of `sysctlPath`. */
export function sysctlName(path: string): string {
  return swap(path);
}

function swap(text: string): string {
  return text.replace(/[./]/g, (mark) => (mark === '.' ? '/' : '.'));
}

/** Blanks do not count: the kernel prints tabs where people write spaces. */
export function sysctlValue(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}

/** The files in the order in which systemd-sysctl reads them; hidden ones left out, and /etc/sysctl.conf unless a link leads there. */
export function readingOrder(files: readonly SysctlFile[]): readonly SysctlFile[] {
  const byName = new Map<string, SysctlFile>();
  for (const folder of sysctlFolders) {
    for (const file of files) {
      const name = file.path.slice(folder.length + 1);
      if (file.path === `${folder}/${name}` && !name.includes('/') && !byName.has(name)) byName.set(name, file);
    }
  }
  return [...byName].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other))).map(([, file]) => file);
}

/** Every line of the files that means something, in order. */
export function sysctlLines(files: readonly SysctlFile[]): readonly SysctlLine[] {
  return files.flatMap((file) => file.content.split('\n').flatMap((text, index) => parseLine(file, index, text)));
}

function parseLine(file: SysctlFile, index: number, text: string): readonly SysctlLine[] {
  const line = text.trim();
  if (line === '' || line.startsWith('#') || line.startsWith(';')) return [];
  const equals = line.indexOf('=');
  const value = equals < 0 ? undefined : sysctlValue(line.slice(equals + 1));
  const key = (equals < 0 ? line : line.slice(0, equals)).trim();
  if (value === undefined && !key.startsWith('-')) return [];
  return [{ file, index, text, path: sysctlPath(key.replace(/^-/, '').trim()), value }];
}

/**
 * The line that decides about `path`: the last one that names it, else the last pattern that matches it. A decisive line without a
 * value means that nothing is set.
 */
export function decisive(lines: readonly SysctlLine[], path: string): SysctlLine | undefined {
  const named = lines.findLast((line) => line.path === path);
  if (named) return named;
  return patternsInOrder(lines).findLast((line) => isPattern(line.path) && matchesPattern(line.path, path));
}

/** A pattern said again with the same value keeps its first place; with another value it moves to the end (`ordered_hashmap_put`). */
function patternsInOrder(lines: readonly SysctlLine[]): readonly SysctlLine[] {
  const kept = new Map<string, SysctlLine>();
  for (const line of lines) {
    if (kept.get(line.path)?.value === line.value && kept.has(line.path)) continue;
    kept.delete(line.path);
    kept.set(line.path, line);
  }
  return [...kept.values()].filter((line) => line.value !== undefined);
}
