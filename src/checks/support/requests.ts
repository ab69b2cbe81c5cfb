/** Many requests to a VIP, each over a new connection, also from addresses that a client only borrows for it. */
import { lines, type Sh, sh } from '../../task.ts';
import { routeTo } from './route.ts';
import type { Said } from './said.ts';

export interface Campaign {
  /** Names the answers; a number. */
  readonly id: number;
  readonly vip: string;
  readonly url: string;
  readonly requests: number;
  /** Names to look for in bodies, as whole words. */
  readonly markers: readonly string[];
  /** Addresses to send from, `requests` from each; empty: the client's own, as it comes. */
  readonly sources: readonly string[];
  /** How many of `sources` to use; which ones changes every ten seconds. */
  readonly use: number;
}

export interface Answer {
  /** Empty: the client's own address. */
  readonly source: string;
  /** 0: no answer. */
  readonly status: number;
  readonly fresh: boolean;
  readonly seconds: number;
  /** Positions in `markers` of the names that the body holds. */
  readonly markers: readonly number[];
}

/** `missing TOOL`, or for each campaign `got`, `exit`, `taken` and `route` lines. */
export function requestProbe(campaigns: readonly Campaign[]): Sh {
  return sh`if ! command -v curl >/dev/null 2>&1; then printf 'missing curl\n'
elif ! command -v awk >/dev/null 2>&1; then printf 'missing awk\n'
else
${lines(prepare, forget(campaigns), ...campaigns.map((campaign) => lines(define(campaign), campaign.sources.length > 0 ? fromSources(campaign) : sh`hit -`)))}
fi`;
}

/**
 * `tell` makes a line of each answer: nothing that a page holds can pass for one, because the mark was not known to anybody before.
 * Bodies are read to 64 KiB and never leave the host.
 */
const tell = `
function named(line, name, at, rest, before) {
  before = " "; rest = line
  while ((at = index(rest, name)) > 0) {
    if (at > 1) before = substr(rest, at - 1, 1)
    rest = substr(rest, at + length(name))
    if (before !~ /[A-Za-z0-9_-]/ && (rest == "" || substr(rest, 1, 1) !~ /[A-Za-z0-9_-]/)) return 1
    before = substr(name, length(name), 1)
  }
  return 0
}
BEGIN { count = split(ENVIRON["markers"], names, " "); mark = ENVIRON["mark"] " "; who = ENVIRON["who"] }
index($0, mark) == 1 {
  split(substr($0, length(mark) + 1), word, " ")
  if (word[1] == "exit") print "exit", who, word[2]
  else print "got", who, word[1], word[2], word[3], (found == "" ? "-" : found)
  fflush()
  found = ""; size = 0
  next
}
size < 65536 {
  size += length($0) + 1
  for (i = 1; i <= count; i++) if (index("," found ",", "," i ",") == 0 && named($0, names[i])) found = found (found == "" ? "" : ",") i
}`;

/** A black hole costs at most 20 s: what curl had not asked by then counts as failed. */
const prepare = sh`IFS= read -r mark </proc/sys/kernel/random/uuid
tell=${tell}
limit=''
! command -v timeout >/dev/null 2>&1 || limit='timeout 20'
export mark markers who
ask() {
  {
    $limit curl -q -g -s -0 --noproxy '*' --connect-timeout 2 --max-time 5 --limit-rate 2M -H 'Connection: close' -w "\\n$mark %{http_code} %{num_connects} %{time_total}\\n" "$@" 2>/dev/null
    printf '\n%s exit %s\n' "$mark" $?
  } | awk "$tell"
}
lend() {
  verb=$1 life=$2
  shift 2
  for a in "$@"; do case $have in *" $a/"*) ;; *) printf 'address %s %s/32 dev %s%s\n' "$verb" "$a" "$dev" "$life" ;; esac; done | ip -force -batch - 2>/dev/null
}
taken() {
  case $(arping -V 2>&1) in *iputils*)
    for a in "$@"; do { arping -D -q -c 1 -w 1 -I "$dev" "$a" >/dev/null 2>&1; [ $? -ne 1 ] || printf ' %s ' "$a"; } & done
    wait ;;
  esac
}`;

/** What counts is who answers for the VIP now, not what this host has learnt before. */
function forget(campaigns: readonly Campaign[]): Sh {
  return lines(...[...new Set(campaigns.map(({ vip }) => vip))].map((vip) => sh`ip neigh flush to ${vip} >/dev/null 2>&1`));
}

function define({ id, url, requests, markers }: Campaign): Sh {
  const urls = Array.from({ length: requests }, () => ['--url', url]).flat();
  return sh`markers=${markers.join(' ')}
hit() {
  who=${`${id} `}$1
  if [ "$1" = - ]; then shift; else set -- --interface "$1"; fi
  ask "$@" ${urls}
}`;
}

/**
 * The addresses are lent with a lifetime, so that even a killed probe leaves none behind for longer than a minute. One that somebody
 * else answers for, or that this host has for good, is not touched.
 */
function fromSources({ id, vip, sources, use }: Campaign): Sh {
  const windows = Math.max(1, Math.floor(sources.length / use));
  return lines(
    routeTo(vip),
    sh`set -- ${sources}
read -r up rest </proc/uptime
skip=$((\${up%%.*} / 10 % ${windows} * ${use}))
place=0
for a in "$@"; do
  shift
  place=$((place + 1))
  if [ "$place" -gt "$skip" ] && [ "$place" -le $((skip + ${use})) ]; then set -- "$@" "$a"; fi
done`,
    sh`have=" $(ip -o -4 addr show 2>/dev/null) "
if [ -z "$dev" ] || [ -n "$via" ]; then printf 'route %s %s\n' ${id} "\${via:-none}"; hit -
else
  busy=$(taken "$@")
  for a in "$@"; do
    shift
    case $busy in *" $a "*) printf 'taken %s %s\n' ${id} "$a" ;; *) set -- "$@" "$a" ;; esac
  done
  trap 'lend del "" "$@"' EXIT
  trap 'exit 1' HUP INT PIPE TERM
  lend add ' valid_lft 60 preferred_lft 60' "$@"
  for a in "$@"; do hit "$a" & done
  wait
  lend del '' "$@"
  trap - EXIT HUP INT PIPE TERM
fi`,
  );
}

/** How often requests were made at all: once for each address, or once. 45: curl could not send from there. */
export function exitsOf(said: Said, id: number): readonly number[] {
  return said.all('exit').flatMap((line) => (line.startsWith(`${id} `) ? [Number(line.split(' ')[2])] : []));
}

export function answersOf(said: Said, id: number): readonly Answer[] {
  return said.all('got').flatMap((line) => {
    const [campaign, source = '', status = '', connects = '', seconds = '', markers = ''] = line.split(' ');
    if (campaign !== String(id) || markers === '') return [];
    return [
      {
        source: source === '-' ? '' : source,
        status: Number(status) || 0,
        fresh: connects !== '0',
        seconds: Number(seconds) || 0,
        markers: markers === '-' ? [] : markers.split(',').map((position) => Number(position) - 1),
      },
    ];
  });
}
