/**
 * How every task looks at a file and writes one. A file is staged beside its target with its final owner, mode and label, checked
 * there, made durable and renamed: a reader sees the old file or the new one, never half of either.
 */
import { posix } from 'node:path';
import { type Change, lines, type PlanContext, type Risk, refuse, type Sh, sh } from '../../../task.ts';
import { folderFunctions } from './foreign-folder.ts';
import type { SeenFile } from './seen-file.ts';

export { fileProbe, filesProbe, parseFile, parseFiles, type SeenFile } from './seen-file.ts';

export interface WantedFile {
  readonly seen: SeenFile;
  /** Absolute. */
  readonly path: string;
  /** May hold secret slots. */
  readonly content: string;
  /** Names or numbers; root unless said. */
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  /** Octal; "0644" unless said. */
  readonly mode?: string | undefined;
  /** Looks at the staged copy before it replaces the old file; a failing one leaves the old file. Give its argument as it is: it is one word. */
  readonly validate?: ((staged: Sh) => Sh) | undefined;
  readonly notify?: readonly string[] | undefined;
  readonly risk?: Risk | undefined;
  /** Makes the directory that holds the file (root, 0755) where it is missing; otherwise a missing one fails the change. */
  readonly makeParent?: boolean | undefined;
  /** Replaces a symbolic link at the path by the file; otherwise a link is refused. */
  readonly replaceLink?: boolean | undefined;
  readonly context: Pick<PlanContext, 'same'>;
}

/**
 * Nothing, `content:PATH`, `attributes:PATH` (owner, group, mode), or both. Throws `refused` where something that is no regular file
 * lies at the path.
 */
export function fileChange(want: WantedFile): readonly Change[] {
  refuseOther(want);
  const { seen, path } = want;
  const content = seen.type !== 'file' || seen.content === undefined || !want.context.same(seen.content, want.content);
  const attributes = seen.type === 'file' && !sameAttributes(want);
  const common = { ...(want.notify && { notify: want.notify }), ...(want.risk && { risk: want.risk }) };
  const changes: Change[] = [];
  if (content) {
    const title = seen.type === 'missing' ? `create ${path} (${attributesOf(want)})` : `write ${path}`;
    const stage = want.risk === 'split' && { stage: tryFile(want) };
    changes.push({ id: `content:${path}`, title, was: shownContent(seen), will: want.content, run: writeFile(want), ...stage, ...common });
  }
  if (attributes) changes.push({ ...setAttributes(want), ...common });
  return changes;
}

/** The fragment alone: puts `content` at `path` whole, or fails and leaves what was there. Safe to run again. */
export function writeFile(want: Omit<WantedFile, 'seen' | 'context' | 'notify' | 'risk'>): Sh {
  return withStaged(
    want,
    sh`sync -- "$staged" 2>/dev/null || sync
mv -fT -- "$staged" "$there" || exit 1
[ ! -e /sys/fs/selinux/enforce ] || ! command -v restorecon >/dev/null || restorecon -- "$target" || :`,
  );
}

/** All that `writeFile` does before the old file goes: whether the new one can be written there and is valid. Leaves nothing. */
function tryFile(want: Parameters<typeof writeFile>[0]): Sh {
  return withStaged(want);
}

function withStaged(want: Parameters<typeof writeFile>[0], replace?: Sh): Sh {
  const { path, content, validate } = want;
  const names = { directory: posix.dirname(path), name: posix.basename(path) };
  return lines(
    sh`(
umask 077
target=${path} directory=${names.directory} name=${names.name} own=${`.${names.name}.lvsctl`}`,
    want.makeParent && sh`[ -d "$directory" ] || ( umask 022; mkdir -p -- "$directory" )`,
    sh`[ -d "$directory" ] || { printf '%s\n' "there is no directory $directory" >&2; exit 1; }`,
    !want.replaceLink && sh`[ ! -L "$target" ] || { printf '%s\n' "$target is a symbolic link" >&2; exit 1; }`,
    sh`[ -L "$target" ] || [ ! -e "$target" ] || [ -f "$target" ] || { printf '%s\n' "$target is no regular file" >&2; exit 1; }
trap 'exit 1' HUP INT TERM`,
    folderFunctions,
    sh`if ours; then
  there=$target staged=\${directory%/}/$own
  trap '[ ! -e "$staged" ] || rm -f -- "$staged"' EXIT
  { [ ! -e "$staged" ] && [ ! -L "$staged" ]; } || rm -rf -- "$staged" || exit 1
else
  enter || exit 1
  there=../$name staged=/proc/self/cwd/new
  trap leave EXIT
fi
set -C
${putText(content)} >"$staged" || {
  [ -w "$directory" ] || { printf '%s\n' "nothing can be written in $directory, not even by root: is it mounted read-only?" >&2; exit 1; }
  # What is built into a shell says "I/O error" of a full disk.
  df -Pk "$directory" | { read -r _; read -r disk _ _ free _; printf '%s\n' "$target could not be written whole: $free KiB are free on $disk"; } >&2
  exit 1
}
set +C
${giveStaged(want)} && chmod -- ${want.mode ?? '0644'} "$staged" || exit 1
# A validator may run as the file's owner.
[ "$there" = "$target" ] || chmod 711 . || exit 1`,
    labelStaged,
    validate &&
      sh`{ ${validate(sh`"$staged"`)}
} || { printf '%s\n' "the new $target is not valid; the old one stays" >&2; exit 1; }`,
    replace,
    sh`)`,
  );
}

/** What root makes is root's: only where a folder gives its own group, or a shell cannot tell, a program has to say so. */
function giveStaged({ owner = 'root', group = 'root' }: Pick<WantedFile, 'owner' | 'group'>): Sh {
  const give = sh`chown -- ${`${owner}:${group}`} "$staged"`;
  if (owner !== 'root' || group !== 'root') return give;
  return sh`{ { [ "$me" = 0 ] && [ -O "$staged" ] && [ -G "$staged" ]; } 2>/dev/null || ${give}; }`;
}

/** Prints a value exactly. Where printf is a program (mksh), its arguments would show in `ps` and end at 128 KiB; `print` is built in there. */
export function putText(content: string): Sh {
  return sh`if [ "$(command -v printf)" = printf ]; then printf %s ${content}; else print -rn -- ${content}; fi`;
}

/** Gives the staged copy the label of its final path, before anybody can open it by that. */
const labelStaged = sh`if [ -e /sys/fs/selinux/enforce ] && label=$(matchpathcon -n "$target" 2>/dev/null); then chcon -- "$label" "$staged" || :; fi`;

function setAttributes(want: WantedFile): Omit<Change, 'notify' | 'risk'> {
  const { path, seen } = want;
  return {
    id: `attributes:${path}`,
    title: `set owner and mode of ${path}`,
    was: `${seen.owner}:${seen.group} ${seen.mode}\n`,
    will: `${attributesOf(want)}\n`,
    run: attributesRun(path, want),
  };
}

/** Owner, group and mode of a file or a directory that is no symbolic link, and is not exchanged for one meanwhile. */
export function attributesRun(path: string, want: Pick<WantedFile, 'owner' | 'group' | 'mode'>, kind: 'file' | 'directory' = 'file'): Sh {
  const name = posix.basename(path);
  const give = (what: string): Sh =>
    sh`chown -h -- ${`${want.owner ?? 'root'}:${want.group ?? 'root'}`} ${what} && chmod -- ${want.mode ?? '0644'} ${what}`;
  const start = sh`(
directory=${posix.dirname(path)} name=${name}
[ ! -L ${path} ] || { printf '%s\n' ${`${path} is a symbolic link`} >&2; exit 1; }`;
  if (kind === 'directory') {
    return lines(
      start,
      sh`cd -P -- "$directory" && home=$(pwd -P) && cd -P -- "./$name" && [ "$(pwd -P)" = "\${home%/}/$name" ] && ${give('.')}
)`,
    );
  }
  return lines(
    start,
    sh`own=${`.${name}.lvsctl`}`,
    folderFunctions,
    sh`if ours; then
  ${give(path)}
else
  enter || exit 1
  trap leave EXIT
  trap 'exit 1' HUP INT TERM
  link_old && ${give('./was')}
fi
)`,
  );
}

/** `root:root 0644`. */
export function attributesOf(want: Pick<WantedFile, 'owner' | 'group' | 'mode'>): string {
  return `${want.owner ?? 'root'}:${want.group ?? 'root'} ${want.mode ?? '0644'}`;
}

/** True when owner and group (by name or number) and mode are as wanted. */
export function sameAttributes({
  seen,
  owner = 'root',
  group = 'root',
  mode = '0644',
}: Pick<WantedFile, 'seen' | 'owner' | 'group' | 'mode'>): boolean {
  const named = (wanted: string, name: string, number: string) => wanted === name || wanted === number;
  return (
    named(owner, seen.owner, seen.uid) && named(group, seen.group, seen.gid) && Number.parseInt(mode, 8) === Number.parseInt(seen.mode, 8)
  );
}

/** Old text for the diff; a sentence where there is none to show. */
function shownContent(seen: SeenFile): string {
  if (seen.type === 'link') return `(symbolic link to ${seen.target})\n`;
  if (seen.type !== 'file') return '';
  return seen.content ?? `(${seen.size} bytes, too many to show)\n`;
}

function refuseOther({ seen, path, replaceLink }: WantedFile): void {
  if (seen.type === 'directory') throw refuse(`${path} is a directory`, 'move it away, or give another path');
  if (seen.type === 'other') throw refuse(`${path} is neither a file nor a directory`, 'move it away, or give another path');
  if (seen.type === 'link' && !replaceLink) {
    throw refuse(`${path} is a symbolic link to ${seen.target}`, 'write to its target, or remove the link');
  }
}
