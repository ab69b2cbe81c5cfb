/** Many requests to VIPs, each over a new connection or from a new port, also from addresses that a client only borrows for it. */
import { lines, type Sh, sh } from '../../task.ts';
import { chooseAddresses, eachAddress, lendAddresses, returnAddresses } from './borrowed-addresses.ts';
import { connections } from './connections.ts';
import { datagrams } from './datagrams.ts';
import { routeTo } from './route.ts';
import type { Said } from './said.ts';

export interface Campaign {
  /** Names the answers; a number. */
  readonly id: number;
  readonly vip: string;
  /** What is fetched by curl; any certificate will do. Absent: a datagram is sent to `port`, or a connection opened. */
  readonly url?: string;
  /** `NAME:PORT:ADDRESS`, where `url` has a name. */
  readonly resolve?: string | undefined;
  readonly connect?: boolean;
  readonly hostHeader?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Datagrams and connections: where to, and hexadecimal bytes. */
  readonly port?: number;
  readonly payload?: string | undefined;
  readonly requests: number;
  /** Names to look for in bodies, as whole words. */
  readonly markers: readonly string[];
  /** Addresses to send from, `requests` from each; empty: the client's own, as it comes. */
  readonly sources: readonly string[];
  /** How many of `sources` to use; which ones changes every ten seconds. */
  readonly use: number;
}

export interface Answer {
  /** The address that it was asked from; empty when there was no connection. */
  readonly source: string;
  /** 0: no answer. */
  readonly status: number;
  readonly fresh: boolean;
  readonly seconds: number;
  /** Positions in `markers` of the names that the body holds. */
  readonly markers: readonly number[];
}

/** Says `missing TOOL`, or for each campaign `using ID ADDRESSES`, `got` lines, `exit ID CODE`, `taken ID ADDRESS`, `route ID ROUTER`, `lack ID TOOL`. */
export function requestProbe(campaigns: readonly Campaign[]): Sh {
  const pages = campaigns.filter(({ url }) => url !== undefined);
  const visits = pages.map((campaign) => lines(define(campaign), campaign.sources.length > 0 ? fromSources(campaign) : fromHere(campaign)));
  const fetching = sh`curl=$(curl -V 2>/dev/null)
if [ -z "$curl" ]; then printf 'missing curl\n'
elif ! command -v awk >/dev/null 2>&1; then printf 'missing awk\n'
else
${lines(prepare, eachAddress, ...visits)}
fi`;
  const sending = campaigns.flatMap(({ id, vip, port, url, connect, requests, payload, markers }) => {
    if (url !== undefined || port === undefined) return [];
    const place = { id, address: vip, port, requests };
    return [connect === true ? connections(place) : datagrams({ ...place, payload, markers })];
  });
  return lines(forget(campaigns), pages.length > 0 && fetching, ...sending);
}

/**
 * Makes a line of each answer: nothing that a page holds can pass for one, because the mark was not known to anybody before. Bodies are
 * read to 64 KiB and never leave the host.
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
BEGIN { count = split(ENVIRON["markers"], names, " "); mark = ENVIRON["mark"] " "; id = ENVIRON["id"] }
index($0, mark) == 1 {
  split(substr($0, length(mark) + 1), word, " ")
  if (word[1] == "exit") print "exit", id, word[2]
  else print "got", id, word[1], word[2], word[3], (found == "" ? "-" : found), word[4]
  found = ""; size = 0
  next
}
size < 65536 {
  size += length($0) + 1
  for (i = 1; i <= count; i++) if (index("," found ",", "," i ",") == 0 && named($0, names[i])) found = found (found == "" ? "" : ",") i
}`;

/** A black hole costs at most 20 s, with TLS 40 s: what was not asked by then counts as failed. -N: what was answered by then is told. */
const prepare = sh`IFS= read -r mark </proc/sys/kernel/random/uuid
tell=${tell} limit='' have='' dev=''
! command -v timeout >/dev/null 2>&1 || limit=timeout
export mark markers id
run() {
  {
    \${limit:+"$limit" "$longest"} curl -q "$@" 2>/dev/null
    printf '\n%s exit %s\n' "$mark" $?
  } | awk "$tell"
}
request_each() {
  printf 'using %s %s\n' "$id" $#
  case $curl in
    'curl 7.'[0-9].* | 'curl 7.'[12]* | 'curl 7.3'[0-5].*) for a in "$@"; do request "$a"; done ;;
    *) [ $# -eq 0 ] || request "$@" ;;
  esac
}`;

/**
 * `request ADDRESS…` fetches the pages from every address, in one process: several addresses need a curl that knows `--next` (7.36). `-`
 * stands for whichever address the host takes.
 */
function define({ id, url = '', resolve, requests, markers, hostHeader, userAgent }: Campaign): Sh {
  const urls = Array.from({ length: requests }, () => ['--url', url]).flat();
  // Under TLS HTTP/1.0 is negotiated, and curl 7.88 refuses the answer of a server that has only 1.1.
  const version = url.startsWith('https:') ? '--http1.1' : '-0';
  const heads = [
    ...(hostHeader === undefined ? [] : ['-H', `Host: ${hostHeader}`]),
    ...(userAgent === undefined ? [] : ['-A', userAgent]),
    ...(resolve === undefined ? [] : ['--resolve', resolve]),
  ];
  return sh`id=${id} markers=${markers.join(' ')} longest=${url.startsWith('https:') ? 40 : 20}
request() {
  left=$#
  while [ "$left" -gt 0 ]; do
    a=$1 left=$((left - 1))
    shift
    set -- "$@" -g -s -k -N ${version} --noproxy '*' --connect-timeout 2 --max-time 5 --limit-rate 2M -H 'Connection: close' ${heads}
    [ "$a" = - ] || set -- "$@" --interface "$a"
    set -- "$@" -w "\\n$mark %{http_code} %{num_connects} %{time_total} %{local_ip}\\n" ${urls}
    [ "$left" -eq 0 ] || set -- "$@" --next
  done
  run "$@"
}`;
}

/** What counts is who answers for the VIP now, not what this host has learnt before. */
function forget(campaigns: readonly Campaign[]): Sh {
  return lines(...[...new Set(campaigns.map(({ vip }) => vip))].map((vip) => sh`ip neigh flush to ${vip} >/dev/null 2>&1`));
}

function fromHere({ id }: Campaign): Sh {
  return sh`printf 'using %s 1\n' ${id}
request -`;
}

function fromSources(campaign: Campaign): Sh {
  const { id, vip, sources, use } = campaign;
  return lines(
    routeTo(vip),
    sh`if [ -z "$dev" ] || [ -n "$via" ]; then
  printf 'route %s %s\n' ${id} "\${via:-none}"
  ${fromHere(campaign)}
else
${lines(chooseAddresses(id, sources, use), lendAddresses(vip.includes(':') ? 128 : 32))}
  request_each "$@"
${returnAddresses}
fi`,
  );
}

/** Answers that were asked for, or 0 when curl could not even try. */
export function askedFor(said: Said, { id, requests }: Pick<Campaign, 'id' | 'requests'>): number {
  const ours = (key: string): readonly number[] =>
    said.all(key).flatMap((line) => (line.startsWith(`${id} `) ? [Number(line.split(' ')[1]) || 0] : []));
  const cannotRun = [2, 126, 127];
  const useless = ours('exit').length > 0 && ours('exit').every((exit) => cannotRun.includes(exit));
  return useless ? 0 : ours('using').reduce((sum, addresses) => sum + addresses, 0) * requests;
}

export function answersOf(said: Said, id: number): readonly Answer[] {
  return said.all('got').flatMap((line) => {
    const [campaign, status = '', connects = '', seconds = '', markers = '', source = ''] = line.split(' ');
    if (campaign !== String(id) || markers === '') return [];
    return [
      {
        source,
        status: Number(status) || 0,
        fresh: connects !== '0',
        seconds: Number(seconds) || 0,
        markers: markers === '-' ? [] : markers.split(',').map((position) => Number(position) - 1),
      },
    ];
  });
}
