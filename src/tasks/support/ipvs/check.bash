# Asks every real server again and again, takes out of the kernel's table who does not answer, and puts back who answers again. One line
# in the log for each change; the state file says which rows are there. What is above this line are the values, below it the program.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
umask 077

# By service.
places=() names=() quorums=() hystereses=() retries=() delays=() sorries=() sorry_options=() serves=() stand=()
# By real server; a check is a command line, quoted.
service_of=() servers=() options=() weights=() checks=() alive=() row=()

# service PLACE NAME QUORUM HYSTERESIS RETRY DELAY SORRY-SERVER OPTIONS
service() {
  places+=("$1") names+=("$2") quorums+=("$3") hystereses+=("$4") retries+=("$5") delays+=("$6") sorries+=("$7") sorry_options+=("$8")
}

# server SERVER OPTIONS WEIGHT CHECK…
server() {
  service_of+=($((${#places[@]} - 1))) servers+=("$1") options+=("$2") weights+=("$3")
  checks+=("$(printf '%q ' "${@:4}")")
}

# tcp TIMEOUT ADDRESS PORT: no program is started before it asks, and none that counts: a busy director does not call others dead.
tcp() {
  local asking limit result
  (exec 4<>"/dev/tcp/$2/$3") &
  asking=$!
  {
    sleep "$1"
    kill -9 "$asking"
  } &
  limit=$!
  wait "$asking"
  result=$?
  kill "$limit"
  return "$result"
}

# web TIMEOUT STATUS REGEX WORDS…: what curl gets has this status, and one of its lines matches.
web() {
  local answer
  answer=$(curl -q -s -g -k --noproxy '*' --max-time "$1" -w '\n%{http_code}' "${@:4}") || return 1
  [[ ${answer##*$'\n'} == "$2" ]] || return 1
  [[ -z $3 ]] || printf '%s\n' "${answer%$'\n'*}" | grep -aqP -- "$3"
}

# look_after SERVER up|down: tells each change. Only who answered before is asked once more before it counts as down.
look_after() {
  local state=$2 failed=0 now pause
  local retry=${retries[${service_of[$1]}]} delay=${delays[${service_of[$1]}]}
  while :; do
    pause=$interval now=up
    if (eval "${checks[$1]}") </dev/null >/dev/null 2>&1; then
      failed=0
    elif [[ $state == up ]] && ((failed < retry)); then
      failed=$((failed + 1)) pause=$delay
    else
      now=down
    fi
    [[ $now == "$state" ]] || printf '%s %s\n' "$1" "$now" >&3
    state=$now
    sleep "$pause"
  done
}

# tell [busy]: writes down what is in the table and what is out; "busy" while that changes.
tell() {
  local n s
  {
    printf 'pid %s %s %s\n' "$$" "$digest" "${1:-steady}"
    for n in "${!servers[@]}"; do printf 'real %s %s %s\n' "${row[n]}" "${places[${service_of[n]}]}" "${servers[n]}"; done
    for s in "${!places[@]}"; do [[ -z ${sorries[s]} ]] || printf 'sorry %s %s %s\n' "${stand[s]}" "${places[s]}" "${sorries[s]}"; done
  } >"$state_file.new" && mv -f "$state_file.new" "$state_file"
}

# put PLACE SERVER OPTIONS: adds the row, or sets it. Place and options are several words.
put() {
  # shellcheck disable=SC2086
  ipvsadm -a $1 -r "$2" $3 2>/dev/null || ipvsadm -e $1 -r "$2" $3
}

# take PLACE SERVER: gone already is as good.
take() {
  # shellcheck disable=SC2086
  ipvsadm -d $1 -r "$2" 2>/dev/null || :
}

# judge SERVICE: whether enough real servers are healthy.
judge() {
  local sum=0 n
  for n in "${!servers[@]}"; do
    [[ ${service_of[n]} != "$1" || ${alive[n]} != up ]] || sum=$((sum + weights[n]))
  done
  if [[ ${serves[$1]} == yes ]]; then
    ((sum > 0 && sum >= quorums[$1] - hystereses[$1])) || serves[$1]=no
  else
    ((sum < quorums[$1] + hystereses[$1])) || serves[$1]=yes
  fi
}

# settle SERVICE in|out: adds the rows of healthy real servers that are not there, or takes away the others.
settle() {
  local want n
  for n in "${!servers[@]}"; do
    [[ ${service_of[n]} == "$1" ]] || continue
    want=out
    [[ ${alive[n]} != up ]] || [[ -n ${sorries[$1]} && ${serves[$1]} == no ]] || want=in
    [[ $want == "$2" && ${row[n]} != "$want" ]] || continue
    if [[ $want == out ]]; then
      take "${places[$1]}" "${servers[n]}"
    elif ! put "${places[$1]}" "${servers[n]}" "${options[n]}"; then
      echo "${names[$1]}: could not add the real server ${servers[n]}" >&2
      continue
    fi
    row[n]=$want
    echo "${names[$1]}: the real server ${servers[n]} is ${alive[n]}, and now $want"
  done
}

# serve SERVICE: what comes is added before what goes is taken away.
serve() {
  judge "$1"
  if [[ -n ${sorries[$1]} && ${serves[$1]} == no && ${stand[$1]} == out ]] && put "${places[$1]}" "${sorries[$1]}" "${sorry_options[$1]}"; then
    stand[$1]=in
    echo "${names[$1]}: too few real servers are left; the sorry server ${sorries[$1]} answers"
  fi
  settle "$1" in
  settle "$1" out
  if [[ ${serves[$1]} == yes && ${stand[$1]} == in ]]; then
    take "${places[$1]}" "${sorries[$1]}"
    stand[$1]=out
    echo "${names[$1]}: the sorry server ${sorries[$1]} is no longer needed"
  fi
}

values

channel=${state_file%.state}.channel
mkdir -p "${state_file%/*}" && rm -f "$channel" && mkfifo "$channel" && exec 3<>"$channel" || exit 1

# Who is in the table counts as healthy until a check says otherwise, so that a new start changes nothing.
table=$(ipvsadm -S -n) || exit 1
for n in "${!servers[@]}"; do
  alive[n]=down row[n]=out
  [[ $table != *"-a ${places[${service_of[n]}]} -r ${servers[n]} "* ]] || alive[n]=up row[n]=in
done
for s in "${!places[@]}"; do
  serves[s]=yes stand[s]=out
  [[ -z ${sorries[s]} || $table != *"-a ${places[s]} -r ${sorries[s]} "* ]] || serves[s]=no stand[s]=in
done
tell busy
for s in "${!places[@]}"; do serve "$s"; done
tell
for n in "${!servers[@]}"; do look_after "$n" "${alive[n]}" & done

while read -r n now <&3; do
  alive[n]=$now
  tell busy
  serve "${service_of[n]}"
  tell
done
