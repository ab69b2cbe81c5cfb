# Runs on the host, detached from the connection, and writes down what it does. Not started by hand.
#
# $LVSCTL_RUN is a root-only folder with:
#   list      `step NUMBER TIMEOUT AFTER TRIES DELAY FRAMES`, a line per step; AFTER is `-`, or for a handler the numbers it waits for,
#             joined by commas (`always`: notified by an earlier part of this run); it is tried TRIES times, DELAY seconds apart;
#             FRAMES are the blocks around it, the outermost first: `top,0b,1r` is in the rescue of block 1 in the body of block 0
#             `close BLOCK RESCUED PARENT`: the block ends; what failed in it and was not rescued has failed in the frame PARENT
#   N.keep    keeps how things are, must exit 0 before the rest; N.note notes how they are in the end (both use before.sh and versions.sh)
#   N.undo    puts back what N.run changes: the host does so by itself $LVSCTL_UNDO seconds later, unless somebody who has come in over a new
#             connection has said that it is well (confirmScript in bundle.ts): of the two, whoever makes N.decided is first
#   N.marks   handlers that the step notifies, each a file in $LVSCTL_PENDING until it has run; N.clears  the handler that the step is
#   stop      once it is there, nothing more is begun, nor tried again
#   logs/     what the steps print while they run
#   N.run     what to do;  N.unless  exits 0 when there is nothing left to do;  N.validate  must exit 0 before N.run may run
# The journal holds one line per event, each starting with $LVSCTL_NONCE; it is append-only and followed by byte offset.

journal=$LVSCTL_RUN/journal
changed=,
# Frames in which a step has failed, those of earlier parts of this run among them.
failed=,$LVSCTL_FAILED
# What a step prints lies in memory until it ends: in some of its own, so that one that never stops cannot fill the host's.
logs=$LVSCTL_RUN/logs
logs_kib=32768

open_logs() { mkdir "$logs" && mount -t tmpfs -o "size=${logs_kib}k,mode=0700" lvsctl "$logs" || :; } 2>/dev/null

close_logs() { umount -l "$logs"; rmdir "$logs" || rm -rf "$logs"; } 2>/dev/null

# Where the memory is used up, what the step itself said of that is not enough.
too_much() { # LOG
  [ -s "$1" ] && [ "$(($(wc -c <"$1") / 1024))" -ge "$logs_kib" ] || return 0
  tail -c 3000 "$1" | sed 1d >"$LVSCTL_RUN/end"
  printf '\nit printed more than %s MiB, and was given room for no more\n' "$((logs_kib / 1024))" | cat "$LVSCTL_RUN/end" - >"$1"
  rm -f "$LVSCTL_RUN/end"
}

# What was done, for whoever asks later; a teardown takes the folder away.
remember() { # RESULT NUMBER
  [ -d "$LVSCTL_LOG" ] || return 0
  skip=$2
  while read -r title && [ "$skip" -gt 0 ]; do skip=$((skip - 1)); done <"$LVSCTL_RUN/titles"
  printf '%s\t%s\t%s\t%s\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${LVSCTL_RUN##*/}" "$title" >>"$LVSCTL_LOG/history" || :
} 2>/dev/null

say() { printf '%s %s\n' "$LVSCTL_NONCE" "$*" >>"$journal"; }

# The end of what a step printed, each line marked, so that nothing in it can pass for an event. A line that is cut goes: nobody would know
# the rest of a secret in it for one.
quote_log() {
  [ -s "$1" ] || return 0
  cut=
  [ "$(wc -c <"$1")" -le 4000 ] || { cut='1d;'; say "log $2 (what it printed before is left out)"; }
  tail -c 4000 "$1" | sed "${cut}s/^/$LVSCTL_NONCE log $2 /" >>"$journal"
  # A last line without its newline must not swallow the event that follows.
  printf '\n' >>"$journal"
}

part() { # FILE TIMEOUT LOG
  [ -e "$1" ] || return 0
  timeout -k 5 "$2" sh -e "$1" </dev/null >>"$3" 2>&1
}

# Before the change: a run that ends here, for whatever reason, leaves word of what must follow it.
mark() { # NUMBER LOG
  [ -e "$LVSCTL_RUN/$1.marks" ] || return 0
  mkdir -p "$LVSCTL_PENDING" 2>>"$2" || return 1
  # Not with `:`, which ends the shell where it cannot write.
  while read -r name; do printf '' >"$LVSCTL_PENDING/$name" || return 1; done <"$LVSCTL_RUN/$1.marks" 2>>"$2"
  # The power may go a moment after the change is on disk.
  sync -- "${LVSCTL_PENDING%/*}" "$LVSCTL_PENDING" "$LVSCTL_PENDING"/* 2>/dev/null || sync
}

clear_mark() { # NUMBER
  [ -e "$LVSCTL_RUN/$1.clears" ] || return 0
  read -r name <"$LVSCTL_RUN/$1.clears"
  rm -f -- "$LVSCTL_PENDING/$name"
  rmdir "$LVSCTL_PENDING" 2>/dev/null || :
}

within() { # SECONDS: sets $deadline, by a clock that does not jump
  read -r up rest </proc/uptime
  deadline=$((${up%%.*} + $1))
}

is_past() { read -r up rest </proc/uptime && [ "${up%%.*}" -gt "$deadline" ]; }

nap() { sleep 0.2 2>/dev/null || sleep 1; }

# Once, and at once with its word: whoever is ended right after it has left no half of it.
decide() { ln -s "$2" "$LVSCTL_RUN/$1.decided" 2>/dev/null; } # NUMBER undone|confirmed

put_back() { # NUMBER
  timeout -k 5 60 sh -e "$LVSCTL_RUN/$1.undo" </dev/null >>"$LVSCTL_RUN/$1.undo-log" 2>&1
  printf '%s\n' "$?" >"$LVSCTL_RUN/$1.undone"
}

# By the timer of this try, if it is still the one that counts.
undo() { # NUMBER TRY
  { read -r try <"$LVSCTL_RUN/$1.armed"; } 2>/dev/null && [ "$try" = "$2" ] && decide "$1" undone || return 0
  put_back "$1"
}

# Before the change: whatever becomes of it, of this process or of the line, the host puts itself back. No word of it before that is certain.
arm() { # NUMBER TRY
  [ -e "$LVSCTL_RUN/$1.undo" ] || return 0
  rm -f "$LVSCTL_RUN/$1.decided" "$LVSCTL_RUN/$1.undone"
  if [ -d /run/systemd/system ]; then
    systemd-run --quiet --collect --unit="lvsctl-undo-${LVSCTL_RUN##*/}-$1-$2" --on-active="$LVSCTL_UNDO" --timer-property=AccuracySec=100ms \
      sh "$LVSCTL_RUN/runner" undo "$1" "$2" || return 1
  else
    setsid sh -c 'sleep "$1"; exec sh "$2/runner" undo "$3" "$4"' sh "$LVSCTL_UNDO" "$LVSCTL_RUN" "$1" "$2" </dev/null >/dev/null 2>&1 &
  fi
  printf '%s\n' "$2" >"$LVSCTL_RUN/$1.armed"
}

# The timer has decided; should it have been ended since, this one does what it would have done.
await_undone() { # NUMBER
  within 70
  until [ -s "$LVSCTL_RUN/$1.undone" ] || is_past; do nap; done
  [ -s "$LVSCTL_RUN/$1.undone" ] || put_back "$1"
}

# True when it was confirmed; otherwise it has been put back, here where the timer is lost.
confirmed() { # NUMBER
  say "confirm $1"
  within "$((LVSCTL_UNDO + 10))"
  until [ -L "$LVSCTL_RUN/$1.decided" ] || is_past; do nap; done
  if decide "$1" undone; then
    put_back "$1"
  elif [ "$(readlink "$LVSCTL_RUN/$1.decided")" = confirmed ]; then
    return 0
  else
    await_undone "$1"
  fi
  return 1
}

# The timer may have come while the change was being made: what was made after it goes, too.
take_back() { # NUMBER TRY
  decide "$1" undone || await_undone "$1"
  put_back "$1"
  [ ! -d /run/systemd/system ] || systemctl -q stop "lvsctl-undo-${LVSCTL_RUN##*/}-$1-$2.timer" 2>/dev/null || :
}

# Of a try that may shut everybody out nothing stays unless it went well and somebody has come in.
try_once() { # NUMBER TIMEOUT TRY LOG: sets $tries to 1 where it is not to be tried again
  part "$LVSCTL_RUN/$1.keep" 120 "$4" && part "$LVSCTL_RUN/$1.validate" "$2" "$4" && mark "$1" "$4" && arm "$1" "$3" &&
    part "$LVSCTL_RUN/$1.run" "$2" "$4"
  code=$?
  [ -e "$LVSCTL_RUN/$1.armed" ] || return "$code"
  why=
  if [ "$code" -ne 0 ] || [ -L "$LVSCTL_RUN/$1.decided" ]; then
    [ "$code" -ne 0 ] || why="this took longer than the $LVSCTL_UNDO s after which the host puts itself back"
    take_back "$1" "$3"
  else
    ! confirmed "$1" || return 0
    why="the host could not be reached over a new connection within $LVSCTL_UNDO s"
  fi
  [ "$why" = '' ] || { code=125 tries=1; }
  if [ "$(cat "$LVSCTL_RUN/$1.undone")" != 0 ]; then
    tries=1
    { printf '%swhat was there before could not all be put back:\n' "${why:+$why: }"; cat "$LVSCTL_RUN/$1.undo-log"; } >>"$4"
  elif [ "$why" != '' ]; then
    printf '%s: it has put back what was there before\n' "$why" >>"$4"
  fi
  # A timer that is late finds that its try is over.
  rm -f "$LVSCTL_RUN/$1.armed"
  return "$code"
}

# Not to the end of it where nothing more is wanted.
rest_between() { # SECONDS
  left=$1
  while [ "$left" -gt 0 ] && [ ! -e "$LVSCTL_RUN/stop" ]; do
    sleep 1
    left=$((left - 1))
  done
}

step() { # NUMBER TIMEOUT TRIES DELAY FRAMES
  log=$logs/$1.log
  printf '' >"$log"
  # What cannot be told is not done: /run may be full.
  say "begin $1" || exit 1
  if [ -e "$LVSCTL_RUN/$1.unless" ] && part "$LVSCTL_RUN/$1.unless" "$2" /dev/null; then
    clear_mark "$1"
    say "end $1 already 0"
    return 0
  fi
  tries=$3
  while :; do
    try_once "$1" "$2" "$tries" "$log"
    code=$?
    tries=$((tries - 1))
    [ "$code" -ne 0 ] && [ "$tries" -gt 0 ] || break
    rest_between "$4"
    [ ! -e "$LVSCTL_RUN/stop" ] || { printf 'asked to stop: it was not tried again\n' >>"$log"; break; }
  done
  part "$LVSCTL_RUN/$1.note" 120 /dev/null || :
  [ "$code" -eq 0 ] || too_much "$log"
  quote_log "$log" "$1"
  if [ "$code" -eq 0 ]; then
    changed=$changed$1,
    clear_mark "$1"
    remember done "$1"
    say "end $1 done 0"
  else
    fail "${5##*,}"
    remember failed "$1"
    say "end $1 failed $code"
  fi
  # Without a program of its own; the file itself goes with all others.
  printf '' >"$log"
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

has_failed() { case $failed in *",$1,"*) return 0 ;; esac; return 1; }

fail() { has_failed "$1" || failed=$failed$1,; }

# A failed frame is not gone on with; a rescue begins only where the body of its block has failed.
may_run() { # FRAMES
  rest=$1,
  while [ -n "$rest" ]; do
    frame=${rest%%,*}
    ! has_failed "$frame" || return 1
    case $frame in *r) has_failed "${frame%r}b" || return 1 ;; esac
    rest=${rest#*,}
  done
}

close() { # BLOCK RESCUED PARENT
  if has_failed "$1a" || has_failed "$1r" || { [ "$2" = no ] && has_failed "$1b"; }; then fail "$3"; fi
}

if [ "${1-}" = undo ]; then
  undo "$2" "$3"
  exit 0
fi
# Started a second time, after a line that broke, it leaves the first one alone.
mkdir "$LVSCTL_RUN/started" 2>/dev/null || exit 0
printf '%s\n' "$$" >"$LVSCTL_RUN/started/pid"
open_logs
LVSCTL_ME=$(id -u)
export LVSCTL_ME

while [ ! -e "$LVSCTL_RUN/stop" ] && read -r kind a b c d e f; do
  case $kind in
    close) close "$a" "$b" "$c" ;;
    step) if may_run "$f" && notified "$c"; then step "$a" "$b" "$d" "$e" "$f"; fi ;;
  esac
done <"$LVSCTL_RUN/list"
rm -f "$LVSCTL_RUN"/*.run "$LVSCTL_RUN"/*.unless "$LVSCTL_RUN"/*.validate "$LVSCTL_RUN"/*.keep "$LVSCTL_RUN"/*.note "$LVSCTL_RUN"/*.marks "$LVSCTL_RUN"/*.clears "$LVSCTL_RUN"/*.undo
close_logs
say "finished $failed"
