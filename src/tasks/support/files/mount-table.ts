/** Mounts as the kernel lists them (proc_pid_mountinfo(5)) and as fstab(5) says they should be. Pure. */
import type { LineEdit } from './edit-lines.ts';

/** A line of fstab, its fields without escapes. */
export interface FstabEntry {
  readonly src: string;
  readonly path: string;
  readonly fstype: string;
  readonly opts: string;
  readonly dump: number;
  readonly passno: number;
}

export interface LiveMount {
  /** Device, `server:/export`, or any word. */
  readonly src: string;
  /** Major and minor number, `8:1`. */
  readonly device: string;
  readonly fstype: string;
  /** Of this mount and of its file system. */
  readonly opts: readonly string[];
}

/** Blanks, tabs, newlines, backslashes and `#` as three octal digits: the form that both tables have. */
export function escapeField(field: string): string {
  return field.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

export function unescapeField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** What is mounted at `path` on top of all else; lines of /proc/self/mountinfo, each after the word `mount`. */
export function mountedAt(mountinfo: string, path: string): LiveMount | undefined {
  const found = mountinfo.split('\n').flatMap((line) => {
    const [, device = '', point = '', opts = '', fstype = '', src = '', more = ''] =
      /^mount \d+ \d+ (\d+:\d+) \S+ (\S+) (\S+)(?: [^-\s]\S*)* - (\S+) (\S*) (\S+)$/.exec(line) ?? [];
    if (point === '' || unescapeField(point) !== path) return [];
    return [{ src: unescapeField(src), device, fstype, opts: [...opts.split(','), ...more.split(',')] }];
  });
  return found.at(-1);
}

/** Lines of fstab that are about `path`, as they stand there. */
export function fstabLines(fstab: string, path: string): readonly string[] {
  return fstab.split('\n').filter((line) => {
    const [src = '', point = ''] = line.trim().split(/\s+/);
    return !src.startsWith('#') && point !== '' && unescapeField(point) === path;
  });
}

/** True when a line says all that the entry says. Options may stand in any order. */
export function says(line: string, entry: FstabEntry): boolean {
  const [src = '', point = '', fstype = '', opts = 'defaults', dump = '0', passno = '0'] = line.trim().split(/\s+/);
  const sorted = (list: string): string => [...new Set(list.split(','))].sort().join(',');
  return (
    unescapeField(src) === entry.src &&
    unescapeField(point) === entry.path &&
    fstype === entry.fstype &&
    sorted(unescapeField(opts)) === sorted(entry.opts) &&
    Number(dump) === entry.dump &&
    Number(passno) === entry.passno
  );
}

/** What leaves exactly one line about the path: this entry; or none. */
export function fstabEdits(fstab: string, path: string, entry: FstabEntry | undefined): readonly LineEdit[] {
  const found = fstabLines(fstab, path);
  const remove = (old: string): LineEdit => ({ kind: 'remove', old });
  if (entry === undefined) return found.map(remove);
  const right = found.find((line) => says(line, entry));
  if (right !== undefined) return found.filter((line) => line !== right).map(remove);
  const fields = [entry.src, entry.path, entry.fstype, entry.opts].map(escapeField);
  const line = [...fields, entry.dump, entry.passno].join(' ');
  const [first] = found;
  if (first === undefined) return [{ kind: 'insert', line, at: 'end' }];
  return [{ kind: 'replace', old: first, by: line }, ...found.map(remove).slice(new Set(found).size === found.length ? 1 : 0)];
}

/** Flags that a mount has unless told otherwise, and the word for not having it. */
const flags: readonly (readonly [usual: string, other: string])[] = [
  ['rw', 'ro'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['exec', 'noexec'],
];

/** Options that bring some of the flags along. */
const restricting = ['user', 'users', 'owner', 'group'];

/** Wanted options that the live mount lacks; only those that every kernel shows under the same name. */
export function missingOptions(wanted: string, live: readonly string[]): readonly string[] {
  const want = wanted.split(',');
  const unknown = restricting.some((option) => want.includes(option));
  const wrong = flags.flatMap(([usual, other]) => {
    if (want.lastIndexOf(other) > want.lastIndexOf(usual)) return live.includes(other) ? [] : [other];
    const left = unknown && usual !== 'rw' && !want.includes(usual);
    return live.includes(other) && !left ? [usual] : [];
  });
  const time = want.findLast((option) => option === 'noatime' || option === 'relatime');
  const size = want.findLast((option) => /^size=\d/.test(option) && live.some((each) => each.startsWith('size=')));
  return [
    ...wrong,
    ...(time === undefined || live.includes(time) ? [] : [time]),
    ...(size === undefined || live.some((each) => bytes(each) === bytes(size)) || size.endsWith('%') ? [] : [size]),
  ];
}

/** Of `size=16m`; the kernel shows its own choice of unit. NaN for anything else. */
function bytes(option: string): number {
  const [, number, unit = ''] = /^size=(\d+)([kmgt]?)$/i.exec(option) ?? [];
  return number === undefined ? Number.NaN : Number(number) * 1024 ** ' kmgt'.indexOf(unit.toLowerCase() || ' ');
}
