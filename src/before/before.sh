# What was on a host before lvsctl's first change to it, and how it is put back. Sourced by the steps of a run and by the probe of `restore`.
#
# A record is a root-only folder NUMBER-ID in $before, the oldest with the smallest number. It holds `kind`, `name` and what its kind
# needs; `absent` where there was nothing; `why` when it could not be put back the last time. One whose kind is not known here brings
# its own scripts `differs` and `restore`, which run inside the folder. A record that is there is whole, and is never written again.
# For each kind: keep_KIND FOLDER NAME · differs_KIND FOLDER NAME · restore_KIND FOLDER NAME, which prints why it cannot.

before=${LVSCTL_BEFORE:-/var/lib/lvsctl/before}
number=
deep=

# ---------------------------------------------------------------- records

record_of() { # ID: sets $record, empty where there is none
  record=
  for each in "$before"/[1-9]*-"$1" "$before"/.new/[1-9]*-"$1"; do [ ! -d "$each" ] || record=$each; done
}

id_of() { # KIND NAME: sets $id
  id=$(printf %s "$1:$2" | sha256sum) || return 1
  id=${id%"${id#????????????????}"}
}

durable() { sync -f -- "$before" 2>/dev/null || sync; }

# These alone: all that a busy host has in memory would take long. What a link leads to is not ours.
fast() {
  for each do
    shift
    [ -L "$each" ] || [ ! -e "$each" ] || set -- "$@" "$each"
  done
  [ $# -eq 0 ] || sync -- "$@" 2>/dev/null || sync
}

# Half a record must never count: they are written under .new, made durable, and moved.
begin_records() {
  [ -z "$number" ] || return 0
  for each in "$before"/.new/*; do [ ! -e "$each" ] || rm -rf -- "$before/.new" || return 1; done
  number=100000
  for each in "$before"/[1-9]*-*; do
    [ ! -d "$each" ] || { each=${each##*/}; number=${each%%-*}; }
  done
}

keep() { # ID KIND NAME
  record_of "$1"
  if [ -n "$record" ]; then
    [ "$2" != packages ] || begin_packages "$record"
    return
  fi
  case $2 in
    file | tree | directory) ! in_new_tree "$3" || return 0; keep_parent "$3" || return 1 ;;
    sysctl) keep_followers "$3" || return 1 ;;
  esac
  new_record "$1" "$2" "$3" && "keep_$2" "$record" "$3"
}

# For kinds that are not known here.
keep_own() { # ID KIND NAME RECORD DIFFERS RESTORE
  record_of "$1"
  [ -z "$record" ] || return 0
  new_record "$1" "$2" "$3" || return 1
  printf '%s\n' "$5" >"$record/differs" && printf '%s\n' "$6" >"$record/restore" && printf '%s\n' "$4" >"$record/record" || return 1
  deep=yes
  ( cd "$record" && sh ./record )
}

new_record() { # ID KIND NAME: sets $record
  begin_records || return 1
  number=$((number + 1))
  record=$before/.new/$number-$1
  [ -d "$before" ] || deep=yes
  mkdir -p -- "$record" && printf '%s\n' "$2" >"$record/kind" && printf '%s\n' "$3" >"$record/name"
}

kept() {
  [ -n "$number" ] || return 0
  settle_records && move_records && fast "$before"
}

settle_records() { # FILES that have to be on disk, too
  for each in "$before"/.new/[1-9]*; do [ -z "$number" ] || set -- "$@" "$each" "$each"/*; done
  # Of what lies deeper, and of the folder itself, no names are known here.
  if [ "$deep" = yes ]; then durable; else fast "$@"; fi
  deep=
}

move_records() {
  [ -n "$number" ] || return 0
  mv -- "$before"/.new/[1-9]* "$before/" && number=
}

# Not with `:`, which ends the shell where it cannot write.
absent() { printf '' >"$1/absent"; }

# What lvsctl has left there; a change of somebody else's is told by it.
note() { # ID KIND
  record_of "$1"
  [ -n "$record" ] || return 0
  case $2 in
    file) IFS= read -r name <"$record/name" && note_file "$record" "$name" ;;
    packages) end_packages "$record" ;;
  esac
}

# ------------------------------------------------- files, trees, directories

keep_parent() { # PATH
  [ -n "${1%/*}" ] && [ ! -e "${1%/*}" ] || return 0
  id_of directory "${1%/*}" && keep "$id" directory "${1%/*}"
}

# All of a tree that was not there goes with it.
in_new_tree() { # PATH
  for each in "$before"/[1-9]* "$before"/.new/[1-9]*; do
    [ -e "$each/absent" ] && read -r kind <"$each/kind" && [ "$kind" = tree ] && IFS= read -r tree <"$each/name" || continue
    case $1 in "$tree" | "$tree"/*) return 0 ;; esac
  done
  return 1
}

is_there() { [ -e "$1" ] || [ -L "$1" ]; }

label_of() { [ ! -e /sys/fs/selinux/enforce ] || stat -c %C -- "$1"; }

# Content, kind, owner and mode in one line.
sum_of() { # PATH
  if [ -L "$1" ]; then
    printf 'link %s\n' "$(readlink -- "$1")"
  elif [ -f "$1" ]; then
    printf '%s %s\n' "$(stat -c '%a %u:%g' -- "$1")" "$(sha256sum <"$1")"
  elif [ -e "$1" ]; then
    stat -c '%F %a %u:%g' -- "$1"
  else
    printf 'absent\n'
  fi
}

keep_file() {
  if ! is_there "$2"; then
    absent "$1"
  elif [ -L "$2" ] || [ -f "$2" ]; then
    cp -dp -- "$2" "$1/copy" && label_of "$2" >"$1/label"
  else
    stat -c '%a %u:%g' -- "$2" >"$1/mode"
  fi
}

note_file() {
  take_sum "$2" || return 1
  old=''
  { IFS= read -r old <"$1/written"; } 2>/dev/null || :
  [ "$old" = "$sum" ] || write_sum "$1"
}

# Sets $sum; of a path that nothing has written to since it was last asked for, without looking again.
take_sum() { # PATH
  [ "$summed" = "$1" ] || { sum=$(sum_of "$1") && summed=$1; }
}
summed=

# What is there already stays until the new is whole.
write_sum() { # FOLDER
  if [ -e "$1/written" ]; then
    printf '%s\n' "$sum" >"$1/written.new" && mv -f -- "$1/written.new" "$1/written"
  else
    printf '%s\n' "$sum" >"$1/written"
  fi
}

differs_file() {
  if [ -e "$1/absent" ]; then
    is_there "$2"
  elif is_there "$1/copy"; then
    take_sum "$2" && [ "$(sum_of "$1/copy")" != "$sum" ]
  else
    differs_directory "$1" "$2"
  fi
}

# Somebody has changed it since lvsctl wrote it.
is_foreign() { # FOLDER KIND NAME
  [ "$2" = file ] && is_there "$3" && { IFS= read -r written <"$1/written"; } 2>/dev/null && take_sum "$3" && [ "$written" != "$sum" ]
}

restore_file() {
  if is_there "$1/copy"; then
    put_back "$1" "$2" "${2%/*}/.${2##*/}.lvsctl" || return 1
  elif [ ! -e "$1/absent" ] || { [ -d "$2" ] && [ ! -L "$2" ]; }; then
    restore_directory "$1" "$2" || return 1
  else
    rm -f -- "$2" || return 1
  fi
  case $2 in
    /etc/systemd/* | /usr/lib/systemd/* | /lib/systemd/* | /etc/fstab) [ ! -d /run/systemd/system ] || systemctl daemon-reload ;;
  esac
}

# The old file or the new one, never half of either.
put_back() { # FOLDER PATH STAGED
  [ -d "${2%/*}/" ] || { printf '%s\n' "there is no directory ${2%/*} any more"; return 1; }
  [ ! -d "$2" ] || [ -L "$2" ] || { printf '%s\n' "there is a directory now"; return 1; }
  rm -f -- "$3" && cp -dp -- "$1/copy" "$3" || return 1
  [ ! -s "$1/label" ] || chcon -h -- "$(cat "$1/label")" "$3" || :
  { sync -- "$3" 2>/dev/null || sync; } && mv -f -- "$3" "$2"
}

keep_tree() { is_there "$2" || absent "$1"; }

differs_tree() { [ -e "$1/absent" ] && is_there "$2"; }

restore_tree() {
  ! grep -qF -- " $2/" /proc/self/mounts || { printf 'something is mounted in it\n'; return 1; }
  rm -rf -- "$2"
}

keep_directory() { if is_there "$2"; then stat -c '%a %u:%g' -- "$2" >"$1/mode"; else absent "$1"; fi; }

differs_directory() {
  if [ -e "$1/absent" ]; then is_there "$2"; else [ "$(stat -c '%a %u:%g' -- "$2" 2>/dev/null)" != "$(cat "$1/mode")" ]; fi
}

restore_directory() {
  if [ -e "$1/absent" ]; then
    rmdir -- "$2" 2>/dev/null || { printf '%s\n' "there is something in it that was not put there by lvsctl"; return 1; }
  else
    read -r mode owner <"$1/mode" || return 1
    is_there "$2" || mkdir -- "$2" || return 1
    chown -- "$owner" "$2" && chmod -- "$mode" "$2"
  fi
}

# ----------------------------------------------------------------- settings

proc_of() { # NAME: sets $proc; the first separator says which of / and . divides
  rest=$1 proc=/proc/sys
  case $1 in
    "${1%%[./]*}".*) ;;
    *) proc=$proc/$1; return ;;
  esac
  part=/
  while case $rest in *[./]*) ;; *) false ;; esac; do
    proc=$proc$part${rest%%[./]*}
    rest=${rest#"${rest%%[./]*}"}
    case $rest in .*) part=/ ;; *) part=. ;; esac
    rest=${rest#?}
  done
  proc=$proc$part$rest
}

# Sets $text, without a program: for the few bytes of a setting.
text_of() { # FILE
  text=
  while IFS= read -r line || [ -n "$line" ]; do text="$text$line
"; done <"$1"
}

# Settings that the kernel changes together with this one; older, so that they are put back after it.
keep_followers() { # NAME
  proc_of "$1"
  case $proc in
    /proc/sys/net/ipv4/ip_forward | /proc/sys/net/ipv4/conf/all/forwarding)
      set -- /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/conf/all/accept_redirects /proc/sys/net/ipv4/ip_forward ;;
    /proc/sys/net/ipv6/conf/all/forwarding) set -- /proc/sys/net/ipv6/conf/*/forwarding ;;
    *) return 0 ;;
  esac
  own=$proc
  for follower do
    [ -r "$follower" ] && [ "$follower" != "$own" ] || continue
    id_of sysctl "${follower#/proc/sys/}" && record_of "$id" || return 1
    [ -n "$record" ] || { new_record "$id" sysctl "${follower#/proc/sys/}" && keep_sysctl "$record" "${follower#/proc/sys/}"; } || return 1
  done
}

keep_sysctl() {
  proc_of "$2"
  if [ -r "$proc" ]; then cat "$proc" >"$1/value"; else absent "$1"; fi
}

# What came with a module goes with it.
differs_sysctl() {
  proc_of "$2"
  # Not with `read`: dash and busybox take a byte at a time, and of a number the kernel gives no second one.
  [ -r "$proc" ] && [ -e "$1/value" ] && now=$(cat "$proc" && printf .) && text_of "$1/value" && [ "$now" != "$text." ]
}

restore_sysctl() { proc_of "$2" && cat "$1/value" >"$proc"; }

keep_hostname() { cat /proc/sys/kernel/hostname >"$1/value"; }
differs_hostname() { [ "$(cat /proc/sys/kernel/hostname)" != "$(cat "$1/value")" ]; }
restore_hostname() { cat "$1/value" >/proc/sys/kernel/hostname; }

keep_selinux() { getenforce >"$1/value" 2>/dev/null || absent "$1"; }
differs_selinux() { [ -e "$1/value" ] && [ ! -e "$1/absent" ] && [ "$(getenforce 2>/dev/null)" != "$(cat "$1/value")" ]; }
restore_selinux() { setenforce "$(cat "$1/value")"; }

# ----------------------------------------------------------------- services

unit_state() { # UNIT: sets $active (active, inactive) and $enabled (enabled, disabled, masked)
  active=inactive enabled=disabled
  while IFS='=' read -r key value; do
    case $key=$value in
      ActiveState=active | ActiveState=activating | ActiveState=reloading) active=active ;;
      UnitFileState=enabled) enabled=enabled ;;
      UnitFileState=masked | LoadState=masked) enabled=masked ;;
    esac
  done <<STATE
$([ ! -d /run/systemd/system ] || systemctl show -p LoadState -p ActiveState -p UnitFileState -- "$1")
STATE
}

keep_service() { unit_state "$2" && printf '%s %s\n' "$active" "$enabled" >"$1/state"; }

differs_service() {
  unit_state "$2"
  [ "$active $enabled" != "$(cat "$1/state")" ]
}

# One that ran before takes up what its files say again.
restore_service() {
  systemctl daemon-reload
  read -r was_active was_enabled <"$1/state" && unit_state "$2" || return 1
  [ "$was_active" = active ] || [ "$active" = inactive ] || systemctl stop -- "$2" || return 1
  if [ "$was_enabled" != "$enabled" ]; then
    [ "$enabled" != masked ] || systemctl unmask -- "$2" || return 1
    case $was_enabled in
      enabled) systemctl --quiet enable -- "$2" ;;
      masked) systemctl mask -- "$2" ;;
      *) systemctl --quiet disable -- "$2" ;;
    esac || return 1
  fi
  if [ "$was_active" = active ]; then systemctl reload-or-restart -- "$2"; else systemctl reset-failed -- "$2" 2>/dev/null || :; fi
}

# ----------------------------------------------------------------- accounts

keep_user() {
  getent group "$2" >"$1/group" || :
  getent passwd "$2" >"$1/entry" || absent "$1"
}
differs_user() { [ "$(getent passwd "$2")" != "$(cat "$1/entry")" ]; }
restore_user() {
  if [ -e "$1/absent" ]; then
    # A group of its name goes with a user whose primary group it is, also one that was there before.
    [ ! -s "$1/group" ] || usermod -g "$(id -g nobody)" -- "$2" || return 1
    userdel -- "$2"
    return
  fi
  IFS=: read -r _ _ _ gid _ home shell <"$1/entry" && usermod -g "$gid" -d "$home" -s "$shell" -- "$2"
}

keep_group() { getent group "$2" >"$1/entry" || absent "$1"; }
differs_group() {
  if [ -e "$1/absent" ]; then getent group "$2" >/dev/null; else ! getent group "$2" >/dev/null; fi
}
restore_group() {
  if [ -e "$1/absent" ]; then groupdel -- "$2"; return; fi
  IFS=: read -r _ _ gid _ <"$1/entry" && groupadd -g "$gid" -- "$2"
}

# ------------------------------------------------ addresses, mounts, modules

has_address() { ip -o address show dev "${1##*@}" 2>/dev/null | grep -qF -- " ${1%@*} "; }
keep_address() { has_address "$2" || absent "$1"; }
differs_address() { if [ -e "$1/absent" ]; then has_address "$2"; else ! has_address "$2"; fi; }
restore_address() {
  if [ -e "$1/absent" ]; then ip address del "${2%@*}" dev "${2##*@}"; else ip address add "${2%@*}" dev "${2##*@}"; fi
}

keep_mount() { mountpoint -q -- "$2" || absent "$1"; }
differs_mount() { if [ -e "$1/absent" ]; then mountpoint -q -- "$2"; else ! mountpoint -q -- "$2"; fi; }
restore_mount() { if [ -e "$1/absent" ]; then umount -- "$2"; else mount -- "$2"; fi; }

in_sys() { printf '/sys/module/%s\n' "$(printf %s "$1" | tr - _)"; }

# Those of all modules: what is loaded along with one goes along with it, and nothing else.
keep_module() {
  [ ! -r /proc/modules ] || sed 's/ .*//' /proc/modules >"$1/loaded" || return 1
  [ -d "$(in_sys "$2")" ] || absent "$1"
}

differs_module() { [ -e "$1/absent" ] && grep -q "^$(printf %s "$2" | tr - _) " /proc/modules; }

restore_module() {
  needed=''
  for module in $(modprobe -q --show-depends -- "$2" | sed -n 's|^insmod .*/\([^/ ]*\)\.ko.*|\1|p' | tr - _); do needed="$module $needed"; done
  unload "$1" "$(printf %s "$2" | tr - _)" || return 1
  for module in $needed; do
    grep -qxF -- "$module" "$1/loaded" || [ ! -d "/sys/module/$module" ] || modprobe -q -r -- "$module" || :
  done
  while read -r module; do
    [ -d "/sys/module/$module" ] || modprobe -- "$module"
  done <"$1/loaded"
}

unload() { # FOLDER MODULE
  for holder in "/sys/module/$2/holders"/*; do
    [ -e "$holder" ] || continue
    ! grep -qxF -- "${holder##*/}" "$1/loaded" || { printf '%s needs it\n' "${holder##*/}"; return 1; }
    # In a subshell, for this function calls itself and there are no variables of its own.
    ( unload "$1" "${holder##*/}" ) || return 1
  done
  [ ! -d "/sys/module/$2" ] || modprobe -r -- "$2" 2>&1
}

# ----------------------------------------------------------------- packages

list_packages() {
  if command -v dpkg-query >/dev/null; then
    # shellcheck disable=SC2016 # dpkg-query replaces them
    dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -n '/^not-installed /d; s/^[^ ]* //p' | sort
  elif command -v rpm >/dev/null; then
    rpm -qa --qf '%{NAME}.%{ARCH}\n' | sort
  fi
}

# `begun` stays until what came is noted in `added`: a run that is killed in between loses nothing.
begin_packages() { [ -e "$1/begun" ] || { list_packages >"$1/begun.new" && mv -f -- "$1/begun.new" "$1/begun" && durable; }; }
keep_packages() { begin_packages "$1"; }

end_packages() {
  [ -e "$1/begun" ] || return 0
  list_packages >"$1/now" && comm -13 "$1/begun" "$1/now" >>"$1/added" && durable && rm -f -- "$1/begun" "$1/now"
}

# Those that lvsctl brought, with what they brought, and that are still there.
added_packages() {
  {
    { cat "$1/added"; [ ! -e "$1/begun" ] || list_packages | comm -13 "$1/begun" -; } 2>/dev/null | sort -u
    list_packages
  } | sort | uniq -d
}

differs_packages() { [ -n "$(added_packages "$1")" ]; }

# Exactly these: dpkg and rpm take away nothing else, and refuse what others need; that stays, and the rest is tried without it.
restore_packages() { # FOLDER
  added_packages "$1" >"$1/going" && printf '' >"$1/stay" || return 1
  while :; do
    folder=$1
    # shellcheck disable=SC2046 # names of packages, one word each
    set -- $(comm -23 "$folder/going" "$folder/stay")
    [ $# -gt 0 ] || break
    if said=$(try_purge "$@" 2>&1); then
      purge "$@" || return 1
      break
    fi
    printf '%s\n' "$said" | sed -n 's/^dpkg: error processing package \([^ ]*\) (--purge):.*/\1/p' | sort -u >"$folder/needed"
    [ -s "$folder/needed" ] || { printf '%s\n' "$said" | tail -n 5; return 1; }
    sort -u "$folder/stay" "$folder/needed" >"$folder/stay.new" && mv -f -- "$folder/stay.new" "$folder/stay" || return 1
    set -- "$folder"
  done
  [ ! -s "$folder/stay" ] || { printf 'others need %s\n' "$(paste -s -d ' ' "$folder/stay")"; return 1; }
}

try_purge() { if command -v dpkg >/dev/null; then dpkg --no-act --purge "$@"; else rpm -e --test "$@"; fi; }

# Neither waits for another one of its kind.
purge() { # NAMES
  tries=1
  until said=$(if command -v dpkg >/dev/null; then DEBIAN_FRONTEND=noninteractive dpkg --purge "$@"; else rpm -e "$@"; fi 2>&1); do
    case $said in *lock*) ;; *) tries=12 ;; esac
    [ "$tries" -lt 12 ] || { printf '%s\n' "$said" | tail -n 5; return 1; }
    tries=$((tries + 1))
    sleep 5
  done
}

# ------------------------------------------------------------------ restore

# Sets $kind and $name. A service that ran before is another matter than one that lvsctl has started.
open_record() { # FOLDER
  IFS= read -r kind <"$1/kind" && IFS= read -r name <"$1/name" || return 1
  [ "$kind" != service ] || ! grep -q '^active ' "$1/state" || kind=running-service
}

differs() { # FOLDER KIND NAME
  if [ -e "$1/differs" ]; then ( cd "$1" && sh ./differs ) >/dev/null 2>&1; else "differs_${2#running-}" "$1" "$3"; fi
}

restore() { # FOLDER-NAME [force]; says why where it cannot, and goes on
  set -- "$before/$1" "${2-}"
  [ -d "$1" ] || return 0
  open_record "$1" || return 1
  if [ "$kind" = running-service ] || differs "$1" "$kind" "$name"; then
    if [ "$2" != force ] && is_foreign "$1" "$kind" "$name"; then
      printf '%s\n' "$name was changed since: it is left as it is"
      return 0
    fi
    code=0 said=$(putting_back "$1" 2>&1) || code=$?
    summed=
    if [ "$code" -ne 0 ] || differs "$1" "$kind" "$name"; then
      printf '%s\n' "${said:-it is as before}" | tail -n 3 | tr '\n' ' ' >"$1/why"
      cat "$1/why"
      return 0
    fi
  fi
  forget "$1"
}

putting_back() { # FOLDER
  if [ -e "$1/restore" ]; then ( cd "$1" && sh ./restore ); else "restore_${kind#running-}" "$1" "$name"; fi
}

# Renamed first, with what an earlier one may have left there: half a record must not count. With the last one goes all else that lvsctl keeps on a host.
forget() { # FOLDER
  mv -- "$1" "$before/.gone" && rm -rf -- "$before/.gone" || return 1
  for each in "$before"/[1-9]*; do [ ! -d "$each" ] || return 0; done
  rm -rf -- "$before"
  [ "$before" = /var/lib/lvsctl/before ] || return 0
  rm -rf -- /var/lib/lvsctl/unarchive /var/lib/lvsctl/pending /var/lib/lvsctl/versions /var/cache/lvsctl/blobs /var/cache/lvsctl/artefacts /var/log/lvsctl
  rmdir -- /var/lib/lvsctl /var/cache/lvsctl 2>/dev/null || :
}

# --------------------------------------------------------------------- list

# wanted KIND:NAME says which. Read-only.
list_records() {
  for folder in "$before"/[1-9]*-*; do
    [ -d "$folder" ] && open_record "$folder" && wanted "$kind:$name" || continue
    printf '\nrecord %s\nkind %s\nname %s\n' "${folder##*/}" "$kind" "$name"
    [ ! -s "$folder/why" ] || printf 'why %s\n' "$(cat "$folder/why")"
    if [ "$kind" != running-service ] && ! differs "$folder" "$kind" "$name"; then
      printf 'state same\n'
    elif is_foreign "$folder" "$kind" "$name"; then
      printf 'state foreign\n'
    else
      printf 'state differs\n'
    fi
    show "$folder"
  done
}

show() { # FOLDER
  case $kind in
    file) show_file now "$name"; printf '\n'; show_file old "$1/copy" ;;
    tree) printf 'now|%s files and directories\n' "$(find "$name" 2>/dev/null | wc -l)" ;;
    sysctl) proc_of "$name"; sed 's/^/now|/' "$proc"; sed 's/^/old|/' "$1/value" ;;
    service | running-service) unit_state "$name"; printf 'now|%s\nold|%s\n' "$active $enabled" "$(cat "$1/state")" ;;
    packages) added_packages "$1" | sed 's/^/now|/' ;;
    user) getent passwd "$name" | sed 's/^/now|/'; sed 's/^/old|/' "$1/entry" ;;
    group) getent group "$name" | sed 's/^/now|/'; sed 's/^/old|/' "$1/entry" ;;
    *) if [ -e "$1/absent" ]; then printf 'now|%s\n' "$name"; else printf 'old|%s\n' "$(cat "$1/value" 2>/dev/null || printf %s "$name")"; fi ;;
  esac 2>/dev/null
}

# What not everybody may read may hold secrets: of such a file only size and sum are shown.
show_file() { # WORD PATH
  is_there "$2" || return 0
  if [ -L "$2" ]; then printf '%s|symbolic link to %s\n' "$1" "$(readlink -- "$2")"; return; fi
  if [ ! -f "$2" ]; then printf '%s|%s\n' "$1" "$(stat -c %F -- "$2")"; return; fi
  mode=$(stat -c '%A %U:%G %s' -- "$2")
  printf '%s|%s %s\n' "$1" "${mode% *}" "${mode##* } bytes"
  case $mode in
    ???????r*) if [ "${mode##* }" -le 32768 ]; then sed "s/^/$1|/" "$2"; return; fi ;;
  esac
  printf '%s|SHA-256 %s\n' "$1" "$(sha256sum <"$2")"
}
