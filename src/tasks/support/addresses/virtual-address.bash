# Keeps the addresses on their interfaces, whatever manages the network: a restart of systemd-networkd, a connection brought up again by
# NetworkManager, a link that went down takes away what they did not put there. With "stop" takes the addresses away.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
umask 077

# add ADDRESS PREFIX INTERFACE: IPv6 is used at once, and never as the source of the host's own connections.
add() {
  if [[ $1 == *:* ]]; then
    ip -6 addr replace "$1/$2" dev "$3" nodad preferred_lft 0
  else
    ip -4 addr replace "$1/$2" dev "$3"
  fi
}

# announce ADDRESS INTERFACE: neighbours that knew another owner learn of this one (IPv6: net.ipv6.conf.INTERFACE.ndisc_notify does).
announce() {
  [[ $1 == *:* ]] || ! command -v arping >/dev/null || arping -q -U -c 3 -I "$2" "$1" >/dev/null 2>&1 </dev/null 3<&- &
}

there() { ip -o addr show dev "$3" 2>/dev/null | grep -qF " $1/$2 "; }

keep() {
  local place
  for place in "${places[@]}"; do
    # shellcheck disable=SC2086
    set -- $place
    if ! there "$@" && add "$@" 2>/dev/null; then
      echo "$1/$2 added to $3"
      announce "$1" "$3"
    fi
  done
}

# wanted PLACE
wanted() {
  local place
  for place in "${places[@]}"; do [[ $place != "$1" ]] || return 0; done
  return 1
}

# What an earlier run of this program kept, and nobody wants any more.
drop_stale() {
  local word place
  [[ -r $state_file ]] || return 0
  while read -r word place; do
    [[ $word != kept ]] || wanted "$place" || take "$place"
  done <"$state_file"
}

take() {
  # shellcheck disable=SC2086
  set -- $1
  ip addr del "$1/$2" dev "$3" 2>/dev/null && echo "$1/$2 taken off $3"
}

if [[ ${1-} == stop ]]; then
  kill "${MAINPID-}" 2>/dev/null
  while [[ -n ${MAINPID-} && -d /proc/$MAINPID ]]; do sleep 0.1; done
  for place in "${places[@]}"; do take "$place"; done
  exit 0
fi

mkdir -p "${state_file%/*}" || exit 1
coproc ip monitor address
monitor=$COPROC_PID
trap 'kill "$monitor"; exec /bin/bash "$0"' HUP
drop_stale
keep
{
  printf 'pid %s %s\n' "$$" "$digest"
  printf 'kept %s\n' "${places[@]}"
} >"$state_file.new" && mv -f "$state_file.new" "$state_file"

# Every change of addresses, and every half a minute anyway. Without the monitor systemd starts all of it again.
while kill -0 "$monitor" 2>/dev/null; do
  read -r -t 30 -u "${COPROC[0]}" _
  keep
done
exit 1
