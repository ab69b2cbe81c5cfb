/**
 * Writing where somebody else can rename things: a folder that is not root's alone, or lies below one. Whoever owns it could put a link in
 * the place of a file between two steps, and root would follow. There, work is done in a folder of our own inside of it, by relative names:
 * that folder can be renamed under us, but not exchanged, and nobody else can put anything into it.
 */
import { sh } from '../../../task.ts';

/**
 * Functions over `$directory`, `$name` (of the file in it) and `$own` (name of the folder of our own): `ours` is true where nobody but root
 * and ourselves can rename what lies on the way; `enter` makes the folder and stays in it, the file then being `../$name`; `leave` takes
 * it away with the `new` and the `was` in it. `link_old` gives the file itself the second name `./was`, links refused.
 */
export const folderFunctions = sh`ours() {
  me=\${LVSCTL_ME:-$(id -u)} && up=$(cd -P -- "$directory" && pwd -P) || return 1
  up=\${up%/}; set -- "$up/."
  while [ -n "$up" ]; do up=\${up%/*}; set -- "$@" "$up/."; done
  modes=$(stat -c '%u %a' -- "$@") || return 1
  itself=yes
  while read -r owner mode; do
    case $owner in 0 | "$me") ;; *) return 1 ;; esac
    case $itself$mode in [1357]???) ;; *[2367]? | *[2367]) return 1 ;; esac
    itself=''
  done <<MODES
$modes
MODES
}
stay() { cd -P -- "./$own" && [ "$(pwd -P)" = "$home/$own" ] && case $(stat -c '%u %a' .) in "$me "*700 | "$me "*711) ;; *) false ;; esac; }
enter() {
  cd -P -- "$directory" && home=$(pwd -P) && home=\${home%/} || return 1
  if [ -d "./$own" ] && [ ! -L "./$own" ]; then ( stay && rm -f -- ./new ./was ); rmdir -- "./$own"; else rm -f -- "./$own"; fi
  mkdir -m 700 -- "./$own" && stay && return 0
  # Not where nothing can be made there at all.
  [ ! -e "./$own" ] || printf '%s\n' "$directory is not root's alone, and somebody is in the way there" >&2
  return 1
}
leave() { rm -f -- ./new ./was; cd -P .. && rmdir -- "./$own"; }
link_old() { ln -- "../$name" ./was && [ -f ./was ] && [ ! -L ./was ]; }`;
