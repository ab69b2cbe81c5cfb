/** Addresses of a segment that a client has only while a probe lasts. */
import { lines, type Sh, sh } from '../../task.ts';

/**
 * Leaves in `$@` at most `use` of the addresses; which ones changes every ten seconds, so that repeated runs meet fresh bindings. Needs
 * `dev`, the interface. Says `taken ID ADDRESS` for each that another host answers for, and leaves it alone: `use` has the kernel ask
 * by ARP, all at once (iproute2 5.16; an older one refuses, and the inventory is believed).
 */
export function chooseAddresses(id: number, addresses: readonly string[], use: number): Sh {
  return lines(
    sh`set -- ${addresses}
use=${use} windows=${Math.max(1, Math.floor(addresses.length / use))} place=0
read -r up _ </proc/uptime
skip=$((\${up%%.*} / 10 % windows * use))
for a in "$@"; do
  shift
  place=$((place + 1))
  if [ "$place" -gt "$skip" ] && [ "$place" -le $((skip + use)) ]; then set -- "$@" "$a"; fi
done`,
    sh`have=$(ip -o addr show)
each 'neigh replace %s dev %s use' "$@" | ip -force -batch - 2>/dev/null
sleep 1
near=$(ip neigh show dev "$dev")
for a in "$@"; do
  shift
  state=''
  case $nl$near in *"$nl$a "*) state=$nl$near state=\${state#*"$nl$a "} state=\${state%%"$nl"*} ;; esac
  case $state in lladdr*REACHABLE*) printf 'taken %s %s\n' ${id} "$a" ;; lladdr*) ;; *) set -- "$@" "$a" ;; esac
done`,
  );
}

/**
 * Lends the addresses in `$@` and leaves in it those that could be. With a lifetime, so that even a killed probe leaves none behind for
 * longer than a minute. What this host has for good is used, and stays. An IPv6 address is deprecated from the start: nothing else on
 * this host begins a connection from it.
 */
export function lendAddresses(length: 32 | 128): Sh {
  const lifetime = length === 128 ? 'valid_lft 60 preferred_lft 0 nodad' : 'valid_lft 60 preferred_lft 60';
  return sh`give_back=${`address del %s/${length} dev %s`}
trap 'each "$give_back" "$@" | ip -force -batch - 2>/dev/null' EXIT
trap 'exit 1' HUP INT PIPE TERM
each ${`address add %s/${length} dev %s ${lifetime}`} "$@" | ip -force -batch - 2>/dev/null
lent=$(ip -o addr show)
for a in "$@"; do
  shift
  case $lent in *" $a/"*) set -- "$@" "$a" ;; esac
done`;
}

export const returnAddresses: Sh = sh`each "$give_back" "$@" | ip -force -batch - 2>/dev/null
trap - EXIT HUP INT PIPE TERM`;

/** `each FORMAT ADDRESS…`: a line for every address that is not this host's own anyway; the format is given it and the interface. */
export const eachAddress: Sh = sh`nl='
'
each() {
  format=$1
  shift
  for a in "$@"; do case $have in *" $a/"*) ;; *) printf "$format$nl" "$a" "$dev" ;; esac; done
}`;
