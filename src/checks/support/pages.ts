/** Pages fetched by one host from many, all at once, each over a connection of its own. Any certificate will do. */
import { type Sh, sh } from '../../task.ts';
import type { Said } from './said.ts';

export interface PageRequest {
  readonly url: string;
  /** Must be in the body; empty: any body will do. */
  readonly marker: string;
  /** `word`: not as a part of a longer name, so that web1 is not found in web10. */
  readonly match: 'word' | 'text';
  readonly hostHeader?: string | undefined;
  /** `NAME:PORT:ADDRESS`, where `url` has a name. */
  readonly resolve?: string | undefined;
}

export interface Page {
  /** Exit code of curl: 7 no connection, 28 timed out. */
  readonly exit: number;
  readonly status: number;
  readonly marked: boolean;
  readonly seconds: number;
  /** The beginning of the body's first line. */
  readonly beginning: string;
}

/** One process per page. At most 3 s and 2 MB/s a page, so that an endless one cannot fill this host's memory. */
export function fetchPages(requests: readonly PageRequest[]): Sh {
  const calls = requests.map(
    (
      { url, marker, match, hostHeader, resolve },
      index,
    ) => sh`page ${index} ${url} ${match} ${marker} ${hostHeader === undefined ? [] : ['-H', `Host: ${hostHeader}`]} ${resolve === undefined ? [] : ['--resolve', resolve]} &
`,
  );
  return sh`if command -v curl >/dev/null 2>&1; then
nl='
'
page() {
  index=$1 url=$2 match=$3 marker=$4
  shift 4
  out=$(curl -q -g -s -k --noproxy '*' --max-time 3 --limit-rate 2M "$@" -w '\n%{http_code} %{time_total}' --url "$url")
  exit=$? marked=no
  body=\${out%"$nl"*}
  case "$match $nl$body$nl" in
    'word '*[!A-Za-z0-9_-]"$marker"[!A-Za-z0-9_-]* | 'text '*"$marker"*) marked=yes ;;
  esac
  printf 'page %s %s %s %s %.120s\n' "$index" "$exit" "$marked" "\${out##*"$nl"}" "\${body%%"$nl"*}"
}
${{ parts: calls.flatMap(({ parts }) => parts) }}wait
else printf 'missing curl\n'; fi`;
}

/** The answer to the request at `index`; `undefined` when there is none. */
export function pageOf(said: Said, index: number): Page | undefined {
  const line = said.all('page').find((rest) => rest.startsWith(`${index} `)) ?? '';
  const found = /^\d+ (\d+) (yes|no) (\d+) ([\d.]+) ?(.*)$/.exec(line);
  if (!found) return undefined;
  const [, exit, marked, status, seconds, beginning = ''] = found;
  return { exit: Number(exit), status: Number(status), marked: marked === 'yes', seconds: Number(seconds), beginning };
}
