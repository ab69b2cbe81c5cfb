/** Unpacks an archive: first beside its place, so that one that is damaged or too large for the disk leaves the place as it was. */
import { type Blob, lines, type Sh, sh } from '../../../task.ts';

export interface Unpack {
  readonly archive: Blob;
  readonly zip: boolean;
  /** Folders to take off the front of every name; tar only. */
  readonly strip: number;
  readonly dest: string;
  /** Must be there afterwards. */
  readonly creates: string;
  readonly owner: string;
  readonly group: string;
  /** File that says which archive lies unpacked; `unfinished` while it is not whole. */
  readonly stamp: string;
}

export function unpack(want: Unpack): Sh {
  return lines(
    sh`(
umask 022
archive=$LVSCTL_BLOBS/${want.archive.sha256} dest=${want.dest} stamp=${want.stamp}
fail() { printf '%s\n' "$1" >&2; exit 1; }
[ "$(sha256sum <"$archive")" = ${`${want.archive.sha256}  -`} ] || fail 'the archive did not arrive whole'
mkdir -p -- "$dest" && rm -rf -- "$dest"/.lvsctl-unpack.?????? || exit 1
work=$(mktemp -d "$dest/.lvsctl-unpack.XXXXXX") || exit 1
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/tree" || exit 1`,
    want.zip ? unzip : untar(want.strip),
    sh`chown -R -h -- ${`${want.owner}:${want.group}`} "$work/tree" || exit 1
( umask 077; mkdir -p -- "\${stamp%/*}" ) && printf 'unfinished\n' >"$stamp" || exit 1`,
    move,
    sh`[ -e ${want.creates} ] || fail ${`${want.archive.name} is unpacked, but there is no ${want.creates}: "creates" names a path that the archive does not bring`}
printf '%s\n' ${want.archive.sha256} >"$stamp.new" && mv -f -- "$stamp.new" "$stamp" || exit 1
sync -- "$stamp" 2>/dev/null || sync
)`,
  );
}

function untar(strip: number): Sh {
  return sh`command -v tar >/dev/null || fail 'there is no tar on this host; install the package tar'
tar -xf "$archive" -C "$work/tree" --no-same-owner ${strip > 0 ? sh`${`--strip-components=${strip}`}` : sh``} || fail 'the archive cannot be unpacked'`;
}

const unzip: Sh = sh`command -v unzip >/dev/null || fail 'there is no unzip on this host; install the package unzip'
unzip -q -o "$archive" -d "$work/tree" </dev/null || fail 'the archive cannot be unpacked'`;

/**
 * Into place, file by file: tar takes an old file away before it writes a new one, so a running program keeps its own. Directories that
 * are there already, or links to some, stay as they are.
 */
const move: Sh = sh`set --
case $(tar --version 2>/dev/null) in *GNU*) set -- --no-overwrite-dir --keep-directory-symlink ;; esac
pack() (
  cd -- "$work/tree" && set -- || exit 1
  for each in * .[!.]* ..?*; do [ ! -e "$each" ] && [ ! -L "$each" ] || set -- "$@" "./$each"; done
  [ $# -gt 0 ] && tar -cf - "$@" && true >"$work/packed"
)
pack | tar -C "$dest" -xpf - "$@" && [ -e "$work/packed" ] || fail 'the files cannot be put in place'`;
