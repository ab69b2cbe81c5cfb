# Runs on the host, detached from the connection, and writes down what it does. Not started by hand.
#
# $LVSCTL_RUN is a root-only folder with:
#   list      a line per step: NUMBER TIMEOUT AFTER; AFTER is `-`, or for a handler the numbers it waits for, joined by commas
#             (`always`: notified by an earlier part of this run)
#   N.run     what to do;  N.unless  exits 0 when there is nothing left to do;  N.validate  must exit 0 before N.run may run
# The journal holds one line per event, each starting with $LVSCTL_NONCE; it is append-only and followed by byte offset.

journal=$LVSCTL_RUN/journal
changed=,
failed=

say() { printf '%s %s\n' "$LVSCTL_NONCE" "$*" >>"$journal"; }

# The end of what a step printed, each line marked, so that nothing in it can pass for an event.
quote_log() {
  [ ! -s "$1" ] || tail -c 4000 "$1" | sed "s/^/$LVSCTL_NONCE log $2 /" >>"$journal"
  # A last line without its newline must not swallow the event that follows.
  [ ! -s "$1" ] || printf '\n' >>"$journal"
}

part() { # FILE TIMEOUT LOG
  [ -e "$1" ] || return 0
  timeout -k 5 "$2" sh -e "$1" </dev/null >>"$3" 2>&1
}

step() { # NUMBER TIMEOUT
  log=$LVSCTL_RUN/$1.log
  : >"$log"
  say "begin $1"
  if [ -e "$LVSCTL_RUN/$1.unless" ] && part "$LVSCTL_RUN/$1.unless" "$2" /dev/null; then
    say "end $1 already 0"
    return 0
  fi
  part "$LVSCTL_RUN/$1.validate" "$2" "$log" && part "$LVSCTL_RUN/$1.run" "$2" "$log"
  code=$?
  quote_log "$log" "$1"
  if [ "$code" -eq 0 ]; then
    changed=$changed$1,
    say "end $1 done 0"
  else
    failed=$1
    say "end $1 failed $code"
  fi
  rm -f "$log" "$LVSCTL_RUN/$1.run" "$LVSCTL_RUN/$1.unless" "$LVSCTL_RUN/$1.validate"
}

notified() { # AFTER
  case $1 in - | always) return 0 ;; esac
  rest=$1,
  while [ -n "$rest" ]; do
    case $changed in *",${rest%%,*},"*) return 0 ;; esac
    rest=${rest#*,}
  done
  return 1
}

: >"$journal"
while read -r number limit after; do
  [ -z "$failed" ] || break
  ! notified "$after" || step "$number" "$limit"
done <"$LVSCTL_RUN/list"
rm -f "$LVSCTL_RUN"/*.run "$LVSCTL_RUN"/*.unless "$LVSCTL_RUN"/*.validate
say finished
