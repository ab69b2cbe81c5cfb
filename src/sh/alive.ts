import { type Sh, sh } from './sh.ts';

/**
 * Shell: `alive FOLDER` is true while the runner whose number stands in FOLDER/started/pid is at work. A zombie is not: where there is no
 * systemd, the runner is a child of the shell that follows it. No process is started for it.
 */
export const alive: Sh = sh`alive() {
  number= state=
  [ ! -s "$1/started/pid" ] || read -r number <"$1/started/pid"
  [ -z "$number" ] || { read -r id name state rest <"/proc/$number/stat"; } 2>/dev/null
  case $state in '' | Z) return 1 ;; esac
}`;
