# What runs have replaced or removed of files, and how it is put back. Sourced by the steps of a run after before.sh, whose functions it uses.
#
# A run that changed files is a root-only folder NUMBER-RUN in $versions, the oldest with the smallest number. It holds `at`, and
#   ID/            a file: `name`; `copy`, `absent`, or `big` where it was not kept; `written`, what the run has left there; `batch` in which
#                  that was; `notifies`, a name of a handler per line; `split` where all directors change it together
#   handlers/FILE/ a handler that its changes notified: `run`, `validate`, `timeout`, `reboots`
# An entry that is there is whole, and is never written again: what a run finds first is what it has replaced. All of it is on disk before
# the change is (kept_versions): a power cut leaves no change that could not be put back.

versions=${LVSCTL_VERSIONS:-/var/lib/lvsctl/versions}
version=
# An entry has been begun by this step.
begun=

# Runs that are kept besides the one at work.
versions_most=9
# Bytes of a file that is kept.
version_most=1048576

# ---------------------------------------------------------------------- keep

find_version() { # RUN: sets $version
  version=
  for each in "$versions"/??????-"$1"; do [ ! -d "$each" ] || version=$each; done
  [ -n "$version" ]
}

begin_version() { # RUN [all]: all that there are stay
  ! find_version "$1" || return 0
  newest=100000 count=0
  for each in "$versions"/??????-*; do
    [ ! -d "$each" ] || { each=${each##*/}; newest=${each%%-*}; count=$((count + 1)); }
  done
  for each in "$versions"/??????-*; do
    if [ "$count" -le "$versions_most" ] || [ "${2-}" = all ]; then break; fi
    drop_version "$each" || return 1
    count=$((count - 1))
  done
  version=$versions/$((newest + 1))-$1
  mkdir -p -- "$version" && date -u +%Y-%m-%dT%H:%M:%SZ >"$version/at"
}

# How far back the rest leads is known afterwards, too, whatever happens in between.
drop_version() { # FOLDER
  time_of_version "$1" >"$versions/.pruned" && fast "$versions/.pruned" && mv -f -- "$versions/.pruned" "$versions/pruned" || return 1
  mv -- "$1" "$versions/.gone" && rm -rf -- "$versions/.gone"
}

keep_version() { # RUN ID PATH BATCH [all]
  [ ! -d "$3" ] || [ -L "$3" ] || return 0
  begin_version "$1" "${5-}" || return 1
  [ ! -d "$version/$2" ] || return 0
  if [ "$begun" = '' ]; then
    for each in "$versions"/.new/*; do [ ! -e "$each" ] || rm -rf -- "$versions/.new" || return 1; done
  fi
  begun=yes
  mkdir -p -- "$versions/.new/$2" && copy_version "$versions/.new/$2" "$3" || return 1
  printf '%s\n' "$3" >"$versions/.new/$2/name" && printf '%s\n' "$4" >"$versions/.new/$2/batch" && printf '' >"$versions/.new/$2/notifies"
}

# The last of `keep`: all that a step has written, records of before.sh too, becomes whole, in as few programs as that takes.
kept_versions() { # ID... handlers/FILE...
  [ -n "$version" ] || { kept; return; }
  settle_records "$versions"/.new/* "$versions"/.new/*/* && move_records || return 1
  [ "$begun" = '' ] || mv -- "$versions"/.new/* "$version/" || return 1
  begun=
  for each do
    shift
    case $each in
      handlers/*) [ ! -d "$version/$each" ] || set -- "$@" "$version/handlers" "$version/$each" "$version/$each"/* ;;
      *) [ ! -d "$version/$each" ] || set -- "$@" "$version/$each" "$version/$each/notifies" ;;
    esac
  done
  fast "$before" "$versions" "$version" "$version/at" "$@"
}

copy_version() { # FOLDER PATH
  if ! is_there "$2"; then
    absent "$1"
  elif [ -f "$2" ] && [ ! -L "$2" ] && [ "$(stat -c %s -- "$2")" -gt "$version_most" ]; then
    sum_of "$2" >"$1/big"
  elif [ -L "$2" ] || [ -f "$2" ]; then
    cp -dp -- "$2" "$1/copy" && label_of "$2" >"$1/label"
  else
    stat -c '%F' -- "$2" >"$1/big"
  fi
}

# Where printf is a program (mksh), what it is given would show in `ps`.
put_text() { if [ "$(command -v printf)" = printf ]; then printf '%s\n' "$1"; else print -r -- "$1"; fi; }

version_handler() { # FILE TIMEOUT REBOOTS RUN VALIDATE
  [ -n "$version" ] && [ ! -d "$version/handlers/$1" ] || return 0
  rm -rf -- "$version/.new" && mkdir -p -- "$version/.new" "$version/handlers" || return 1
  printf '%s\n' "$2" >"$version/.new/timeout" && printf '%s\n' "$3" >"$version/.new/reboots" && put_text "$4" >"$version/.new/run" || return 1
  [ "$5" = '' ] || put_text "$5" >"$version/.new/validate" || return 1
  mv -- "$version/.new" "$version/handlers/$1"
}

# Of a rollback: the run that it was kept by may be dropped before this one.
version_handler_again() { # FILE NUMBER-RUN/handlers/FILE
  [ -n "$version" ] && [ ! -d "$version/handlers/$1" ] && [ -d "$versions/$2" ] || return 0
  rm -rf -- "$version/.new" && mkdir -p -- "$version/handlers" && cp -pR -- "$versions/$2" "$version/.new" && mv -- "$version/.new" "$version/handlers/$1"
}

# Each change of the run to the file may notify others.
version_notifies() { # ID SPLIT NAMES...
  [ -n "$version" ] || return 0
  entry=$versions/.new/$1
  [ "$begun" = yes ] && [ -d "$entry" ] || entry=$version/$1
  [ -d "$entry" ] || return 0
  [ "$2" = '' ] || printf '' >"$entry/split" || return 1
  shift 2
  for each do grep -qxF -- "$each" "$entry/notifies" || printf '%s\n' "$each" >>"$entry/notifies" || return 1; done
}

# After a change: what it has left, or, where that is what was there, no word of it.
note_version() { # RUN ID
  find_version "$1" && [ -d "$version/$2" ] && IFS= read -r name <"$version/$2/name" || return 0
  take_sum "$name" || return 1
  if version_differs "$version/$2" "$name" "$sum"; then
    write_sum "$version/$2"
    return
  fi
  mv -- "$version/$2" "$version/.gone" && rm -rf -- "$version/.gone" || return 1
  for each in "$version"/*; do [ ! -e "$each/name" ] || return 0; done
  rm -rf -- "$version"
}

version_differs() { # FOLDER PATH [SUM OF WHAT IS THERE]
  if [ -e "$1/absent" ]; then
    is_there "$2"
  elif [ -e "$1/big" ]; then
    [ "$(cat "$1/big")" != "${3-$(sum_of "$2")}" ]
  else
    [ "$(sum_of "$1/copy")" != "${3-$(sum_of "$2")}" ]
  fi
}

# ------------------------------------------------------------------ put back

version_is() { # NUMBER-RUN/ID: what is there is what was kept
  IFS= read -r name <"$versions/$1/name" && ! version_differs "$versions/$1" "$name"
}

# A short name for what is at a path: the plan has seen it, and nothing else is replaced.
print_of() { # PATH
  print=$(sum_of "$1" | sha256sum) || return 1
  printf '%s\n' "${print%"${print#????????????????}"}"
}

restore_version() { # NUMBER-RUN/ID PRINT
  IFS= read -r name <"$versions/$1/name" || { printf 'what was kept of it is gone\n'; return 1; }
  [ "$(print_of "$name")" = "$2" ] || { printf '%s\n' "$name was changed after the plan had been made: it is left as it is"; return 1; }
  settings=$(settings_of "$versions/$1/copy" "$name")
  replace_version "$versions/$1" "$name" || return 1
  case $name in
    /etc/systemd/* | /usr/lib/systemd/* | /lib/systemd/* | /etc/fstab) [ ! -d /run/systemd/system ] || systemctl daemon-reload || return 1 ;;
  esac
  [ "$settings" = '' ] || printf '%s\n' "$settings" | sysctl -q -p -
}

# A process that began before is older than the file, whatever the time that it was kept with.
replace_version() { # FOLDER PATH
  if [ -e "$1/absent" ]; then
    [ ! -d "$2" ] || [ -L "$2" ] || { printf '%s\n' "$2 is a directory now"; return 1; }
    rm -f -- "$2"
  else
    is_there "$1/copy" || { printf '%s\n' "$2 was not kept"; return 1; }
    put_back "$1" "$2" "${2%/*}/.${2##*/}.lvsctl" && { touch -h -c -- "$2" 2>/dev/null || :; }
  fi
}

# Lines of the old file that the present one does not have: the kernel takes them without a boot.
settings_of() { # COPY PATH
  case $2 in
    */sysctl.d/*.conf) [ ! -f "$1" ] || { cat -- "$2" 2>/dev/null || :; } | grep -vxF -f - -- "$1" | grep -v '^[[:blank:]]*\([#;]\|$\)' || : ;;
  esac
}

version_handles() { # NUMBER-RUN/handlers/FILE run|validate
  [ "$2" != run ] || [ -s "$versions/$1/run" ] || { printf 'what was kept of this handler is lost: do by hand what it did\n'; return 1; }
  [ ! -e "$versions/$1/$2" ] || sh -e "$versions/$1/$2"
}

# ----------------------------------------------------------------------- try

# All of it at once, and the validators of the handlers over it, where nobody else sees it: the folders are copies in a mount namespace.
try_versions() { # NUMBER-RUN/ID... -- NUMBER-RUN/handlers/FILE...
  if ! unshare -m mount --make-rprivate / 2>/dev/null; then
    printf 'not tried before: no mount namespace can be made here\n'
    return 0
  fi
  # shellcheck disable=SC2016 # the inner shell expands it
  unshare -m sh -c 'mount --make-rprivate / && . "$LVSCTL_RUN/before.sh" && . "$LVSCTL_RUN/versions.sh" && try_here "$@"' sh "$@"
}

try_here() {
  shadow=$LVSCTL_RUN/shadow
  mkdir -p -- "$shadow" && mount -t tmpfs -o mode=0700 none "$shadow" || return 1
  count=0
  for each do
    [ "$each" != -- ] || break
    IFS= read -r name <"$versions/$each/name" || { printf 'what was kept is gone\n'; return 1; }
    is_simple "$versions/$each/copy" "$name" || shadow_folder "${name%/*}" || return
  done
  while [ "$1" != -- ]; do
    IFS= read -r name <"$versions/$1/name" && shadow_file "$versions/$1" "$name" || return 1
    shift
  done
  shift
  for each do
    [ -e "$versions/$each/validate" ] || continue
    seconds_of_handler "$versions/$each"
    timeout "$seconds" sh -e "$versions/$each/validate" ||
      { printf '%s\n' "${each##*/}: what would be put back is not valid here; nothing was changed"; return 1; }
  done
}

# A file in the place of a file: its folder, which may be all of /etc, need not be copied.
is_simple() { [ -f "$1" ] && [ ! -L "$1" ] && [ -f "$2" ] && [ ! -L "$2" ]; }

shadow_file() { # FOLDER PATH
  case $shadowed in *"
${2%/*}
"*) replace_version "$1" "$2"; return ;; esac
  count=$((count + 1))
  cp -p -- "$1/copy" "$shadow/$count" && mount --bind -- "$shadow/$count" "$2"
}

# Once for each: whatever is put back into it afterwards goes into the copy.
shadow_folder() { # FOLDER
  case $1 in '') printf 'not tried before: a file lies in /\n'; exit 0 ;; esac
  [ -d "$1/" ] || { printf '%s\n' "there is no directory $1 any more"; return 1; }
  case $shadowed in *"
$1
"*) return 0 ;; esac
  shadowed="$shadowed$1
"
  size=$(du -sk -- "$1/") || return 1
  [ "${size%%[!0-9]*}" -le 49152 ] || { printf '%s\n' "not tried before: $1 is too large to be copied for that"; exit 0; }
  count=$((count + 1))
  cp -a -- "$1/." "$shadow/$count" || { printf '%s\n' "not tried before: $1 cannot be copied for that"; exit 0; }
  mount --bind -- "$shadow/$count" "$1/"
}
shadowed='
'

# ---------------------------------------------------------------------- list

# What there is: runs, their files and handlers. Read-only.
list_versions() {
  [ ! -s "$versions/pruned" ] || printf 'pruned %s\n' "$(cat "$versions/pruned")"
  for folder in "$versions"/??????-*; do
    [ -d "$folder" ] || continue
    printf 'version %s\nat %s\n' "${folder##*/}" "$(time_of_version "$folder")"
    for each in "$folder"/*; do
      { IFS= read -r name <"$each/name" && read -r batch <"$each/batch"; } 2>/dev/null && printf 'file %s %s\n' "$batch" "$name"
    done
    for each in "$folder"/handlers/*; do
      [ -d "$each" ] || continue
      seconds_of_handler "$each"
      { read -r reboots <"$each/reboots"; } 2>/dev/null || reboots=0
      valid=no
      [ ! -e "$each/validate" ] || valid=yes
      printf 'handler %s %s %s %s\n' "$seconds" "$reboots" "$valid" "${each##*/}"
    done
  done
}

# Where a power cut has emptied `at`, or come before it, the clock has left its mark on what is there.
time_of_version() { # FOLDER
  { read -r at <"$1/at"; } 2>/dev/null || at=
  case $at in ????-*Z) printf '%s\n' "$at"; return ;; esac
  dated=$1/at
  [ -e "$dated" ] || dated=$1
  date -u -r "$dated" +%Y-%m-%dT%H:%M:%SZ
}

seconds_of_handler() { # FOLDER: sets $seconds
  { read -r seconds <"$1/timeout"; } 2>/dev/null || seconds=60
}

# Of each file that the runs have changed: what it was before the first of them, and what is there now.
show_versions() { # NUMBER-RUN..., the oldest first
  for each in "$versions"/??????-*; do [ ! -d "$each" ] || printf 'newest %s\n' "${each##*/}"; done
  shown=' '
  for folder do
    for entry in "$versions/$folder"/*; do
      { IFS= read -r name <"$entry/name"; } 2>/dev/null || continue
      id=${entry##*/}
      case $shown in *" $id "*) continue ;; esac
      shown="$shown$id "
      show_version "$@"
    done
  done
}

show_version() { # NUMBER-RUN...; $folder, $id, $entry, $name
  printf '\nfile %s/%s\nname %s\nstate %s\nprint %s\n' "$folder" "$id" "$name" "$(state_of)" "$(print_of "$name")"
  [ ! -e "$entry/absent" ] || printf 'absent\n'
  for each do
    [ ! -e "$versions/$each/$id/split" ] || printf 'split\n'
    [ ! -e "$versions/$each/$id/notifies" ] || sed 's/^/notifies /' "$versions/$each/$id/notifies"
  done
  # The last line of a file may lack its newline.
  show_text now "$name"; printf '\n'
  show_text old "$entry/copy"; printf '\n'
}

state_of() {
  if ! version_differs "$entry" "$name"; then
    printf same
  elif [ -e "$entry/big" ]; then
    printf big
  elif is_strange; then
    printf foreign
  else
    printf differs
  fi
}

# It is not what the last run that changed it has left. Of one that was cut off before it could say so, nothing is known.
is_strange() {
  for each in "$versions"/??????-*; do [ ! -d "$each/$id" ] || last=$each/$id; done
  { IFS= read -r written <"$last/written"; } 2>/dev/null && [ "$written" != "$(sum_of "$name")" ]
}

# keepalived.conf is not for everybody because of its password alone.
show_text() { # WORD PATH
  case $name in
    */keepalived.conf)
      if [ -f "$2" ] && [ ! -L "$2" ] && [ "$(stat -c %s -- "$2")" -le 131072 ]; then
        printf '%s|%s\n%s|SHA-256 %s\n' "$1" "$(stat -c '%A %U:%G' -- "$2")" "$1" "$(sha256sum <"$2")"
        sed "s/\(auth_pass[[:blank:]]\{1,\}\)[^[:blank:]]*/\1[hidden]/; s/^/$1|/" "$2"
        return
      fi ;;
  esac
  show_file "$1" "$2"
}
