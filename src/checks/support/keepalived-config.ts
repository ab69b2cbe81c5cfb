/** What the configuration of a director's keepalived is worth: also where it was started by hand with `-f`. */

import { lines, type Sh, sh } from '../../task.ts';
import { keepalivedState } from '../../tasks/support/keepalived/process.ts';

/** `conf`: the file that the running keepalived was told to read, otherwise the usual one. `usual`: that one. */
const findConfig = sh`usual=$conf
if [ -n "$pid" ]; then
  before=''
  for word in $(tr '\\0\n*?[' '\n____' <"/proc/$pid/cmdline"); do
    case $before in -f | --use-file) conf=$word ;; esac
    case $word in --use-file=*) conf=\${word#*=} ;; -f?*) conf=\${word#-f} ;; esac
    before=$word
  done
fi
kind='file'
if [ ! -e "$conf" ]; then kind='missing'; elif [ ! -f "$conf" ]; then kind=other; elif [ ! -s "$conf" ]; then kind=empty; fi
[ "$kind" != file ] || [ ! -x "$conf" ] || kind=executable
printf 'config %s\nkind %s\n' "$conf" "$kind"`;

/** Versions before 2.0.4 have no `-t` and would take it for something else. */
const testConfig = sh`if command -v keepalived >/dev/null 2>&1; then
  case $(keepalived -v 2>&1) in
    *'Keepalived v0.'* | *'Keepalived v1.'* | *'Keepalived v2.0.'[0-3]' '*) printf 'tested too-old\n' ;;
    *) { keepalived -t -f "$conf" 2>&1; printf '\ntested %s\n' $?; } | while IFS= read -r line; do
      case $line in 'tested '*) printf '%s\n' "$line" ;; *) printf 'test %s\n' "$line" ;; esac
    done ;;
  esac
else printf 'tested not-installed\n'; fi`;

/**
 * Files of the configuration that are newer than the process, with their time, and the last reload that the journal knows. Nothing
 * when the reload that lvsctl made last was of this very file (`loaded`).
 */
const loadedConfig = sh`files=$conf
[ "$conf $state" != "$usual loaded" ] || files=''
[ "$kind" != file ] || files="$files
$(grep -s '^[[:space:]]*include' "$conf" | while read -r word pattern; do
  for file in "\${conf%/*}"/$pattern $pattern; do [ ! -f "$file" ] || printf '%s\n' "$file"; done
done)"
newer=no
if [ -z "$pid" ]; then state=none; elif [ -e /run/keepalived.pid ]; then
  while IFS= read -r file; do
    [ -n "$file" ] && [ -n "$(find "$file" -newer /run/keepalived.pid 2>/dev/null)" ] || continue
    newer=yes
    stat -c 'newer %Y %n' -- "$file"
  done <<FILES
$files
FILES
else state=unknown; fi
[ "$newer" = no ] || journalctl -u keepalived -n 500 -o short-unix --no-pager 2>/dev/null | grep -i reload | while read -r time rest; do printf 'reload %s\n' "$time"; done
printf 'state %s\n' "$state"`;

/** Says `config`, `kind`, `tested` with `test` lines, `state`, `newer` with epoch and path, `reload` with epoch. */
export const configProbe: Sh = lines(keepalivedState, findConfig, testConfig, loadedConfig);
