/** Directories, symbolic links and nothing: what a path may be instead of a file. */
import { posix } from 'node:path';
import { type Change, lines, refuse, type Sh, sh } from '../../../task.ts';
import type { SeenFile } from './seen-file.ts';
import { attributesOf, attributesRun, sameAttributes } from './write-file.ts';

interface Attributes {
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
  /** Makes the directory above it where it is missing. */
  readonly makeParent: boolean;
}

/** `create:PATH` or `attributes:PATH`, or nothing. */
export function makeDirectory(seen: SeenFile, want: Attributes): readonly Change[] {
  const { path } = want;
  const common = { will: `directory ${attributesOf(want)}\n` };
  if (seen.type === 'missing') {
    const run = lines(
      parentOf(path, want.makeParent),
      sh`[ -d ${path} ] || mkdir -- ${path} || exit 1`,
      attributesRun(path, want, 'directory'),
    );
    return [{ id: `create:${path}`, title: `make the directory ${path} (${attributesOf(want)})`, was: '', run, ...common }];
  }
  if (sameAttributes({ seen, ...want })) return [];
  const was = `directory ${seen.owner}:${seen.group} ${seen.mode}\n`;
  return [
    { id: `attributes:${path}`, title: `set owner and mode of ${path}`, was, run: attributesRun(path, want, 'directory'), ...common },
  ];
}

/** `link:PATH`, or nothing. Throws `refused` where something other than a link is at the path. */
export function linkChange(
  seen: SeenFile,
  { path, target, makeParent }: { readonly path: string; readonly target: string; readonly makeParent: boolean },
): readonly Change[] {
  if (seen.type === 'link' && seen.target === target) return [];
  if (seen.type !== 'link' && seen.type !== 'missing') {
    throw refuse(`${path} is there and is no symbolic link`, 'move it away, or give another path');
  }
  const staged = posix.join(posix.dirname(path), `.${posix.basename(path)}.lvsctl`);
  const run = lines(
    parentOf(path, makeParent),
    sh`path=${path} staged=${staged}
[ -L "$path" ] || [ ! -e "$path" ] || { printf '%s\n' "$path is no symbolic link" >&2; exit 1; }
rm -f -- "$staged" && ln -sn -- ${target} "$staged" || exit 1
mv -fT -- "$staged" "$path" || { rm -f -- "$staged"; exit 1; }`,
  );
  const title = seen.type === 'missing' ? `link ${path} to ${target}` : `lead the link ${path} to ${target}`;
  return [{ id: `link:${path}`, title, was: seen.type === 'link' ? `${seen.target}\n` : '', will: `${target}\n`, run }];
}

/** `remove:PATH`, or nothing. A directory goes only when it is empty; what is neither file, link nor directory is refused. */
export function removeChange(seen: SeenFile, path: string): readonly Change[] {
  if (seen.type === 'missing') return [];
  if (seen.type === 'other') throw refuse(`${path} is neither a file, a link nor a directory`, 'remove it by hand');
  const shown = {
    file: seen.content ?? `(${seen.size} bytes, too many to show)\n`,
    link: `(symbolic link to ${seen.target})\n`,
    directory: '(directory)\n',
  };
  const run = seen.type === 'directory' ? sh`[ ! -d ${path} ] || rmdir -- ${path}` : sh`rm -f -- ${path}`;
  return [{ id: `remove:${path}`, title: `remove ${path}`, was: shown[seen.type], will: '', run }];
}

function parentOf(path: string, make: boolean): Sh | false {
  return make && sh`[ -d ${posix.dirname(path)} ] || ( umask 022; mkdir -p -- ${posix.dirname(path)} ) || exit 1`;
}
