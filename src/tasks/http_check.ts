import { z } from 'zod';
import { defineTask, lines, type Sh, sh } from '../task.ts';
import { httpUrl } from './support/http-url.ts';
import { oneOrMore, text, toList } from './support/params.ts';
import { holdsSecret } from './support/user-shell.ts';
import { waitUntil } from './support/wait.ts';

const headerName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'the name of a header, such as Content-Type');
const line = text.regex(/^[^\r\n]*$/, 'text of one line');

const params = z.strictObject({
  url: httpUrl.describe('What the host asks for, with curl and without a proxy. Redirects are answers like any other.'),
  method: z.enum(['GET', 'HEAD']).default('GET').describe('Neither changes anything.'),
  headers: z.record(headerName, line.min(1)).default({}).describe('Headers of the request: `{ Host: www.example.org }`.'),
  status: z
    .union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)])
    .default(200)
    .describe('Status that is right, or a list of them.'),
  contains: oneOrMore(text.min(1)).optional().describe('Text that the page contains; of a list, all of it.'),
  matches: line.min(1).optional().describe('Extended regular expression that a line of the page matches.'),
  response_headers: z
    .record(headerName, line)
    .default({})
    .describe('Headers that the answer has, with the text that each contains; empty text: whatever it says.'),
  validate_certs: z.boolean().default(true).describe('Whether the certificate of an https server must be one that the host trusts.'),
  timeout: z.int().min(1).max(60).default(5).describe('Seconds that one answer may take.'),
  retries: z.int().min(0).max(300).default(3).describe('How often a wrong answer is asked for again.'),
  delay: z.int().min(1).max(60).default(1).describe('Seconds before it is asked again.'),
});

type Want = z.infer<typeof params>;

interface Seen {
  readonly right: boolean;
  /** What was wrong, in the host's words. */
  readonly said: string;
}

export default defineTask<Want, Seen>({
  summary: 'Asks for a page from the host and fails when the answer is not as wanted: status, text, headers. Changes nothing.',
  params,
  touches: () => [],
  needs: () => ['package:curl'],
  probe: (want) => sh`${defineAsk(want)}
if ask; then printf 'right\n'; else printf 'wrong %s\n' "$said"; fi`,
  parse: ({ stdout }) => ({
    right: /^right$/m.test(stdout),
    said: (/^wrong (.*)$/m.exec(stdout)?.[1] ?? 'it was not asked').replace(/\p{C}/gu, '?'),
  }),
  plan: (seen, want) => {
    if (seen.right) return [];
    const { url, timeout, retries, delay } = want;
    const complaint = sh`printf '%s: %s; expected %s\n' ${url} "$said" ${expectation(want)} >&2`;
    const bound = (retries + 1) * (timeout + delay);
    return [
      {
        id: 'ask',
        title: `ask until ${url} answers with ${expectation(want)}`,
        was: `${seen.said}\n`,
        will: `${expectation(want)}\n`,
        unless: sh`${defineAsk(want)}
ask || { printf '%s\n' "$said"; exit 1; }`,
        run: sh`${defineAsk(want)}
${waitUntil({ until: sh`ask`, looks: retries + 1, timeout: bound, delay, complaint })}`,
        timeout: bound + 30,
      },
    ];
  },
  settled: (want) => `${want.url} answers with ${expectation(want)}`,
  example: {
    url: 'http://127.0.0.1/',
    method: 'GET',
    headers: { Host: 'www.example.org' },
    status: 200,
    contains: 'web1',
    matches: '^web[0-9]+$',
    response_headers: { 'Content-Type': 'text/' },
    validate_certs: true,
    timeout: 5,
    retries: 3,
    delay: 1,
  },
});

/** `ask` exits 0 when the answer is right; otherwise `said` holds, on one line, what it was instead. Pages are read to a MiB. */
function defineAsk(want: Want): Sh {
  const headers = Object.entries(want.headers).map(([name, value]) => `${name}: ${value}`);
  const words = [
    want.method === 'HEAD' ? '--head' : '--include',
    ...(want.validate_certs ? [] : ['--insecure']),
    ...headers.filter((header) => !holdsSecret(header)).flatMap((header) => ['--header', header]),
  ];
  const hidden = headers.filter(holdsSecret);
  return sh`ask() {
  said='curl is not installed'
  command -v curl >/dev/null || return 1
  answer=$(${fromInput(hidden)}curl -q -g -sS --noproxy '*' --max-time ${want.timeout} --max-filesize 1048576 --limit-rate 4M ${hidden.length > 0 ? sh`--config - ` : sh``}${words} --url ${want.url} 2>&1)
  code=$?
  # curl may write its complaint before what it has received
  said="curl: \${answer#*curl: }"
  said=\${said%%
*}
  [ "$code" -eq 0 ] || return 1
  answer=$(printf '%s\n' "$answer" | tr -d '\\r')
  status=\${answer#* }
  status=\${status%%[!0-9]*}
  said="status $status"
  wanted=${` ${statuses(want).join(' ')} `}
  case $wanted in *" $status "*) ;; *) return 1 ;; esac
${lines(...judgements(want))}
}`;
}

/** Headers as curl reads them from its standard input: its arguments are there for everybody on the host to read. */
function fromInput(headers: readonly string[]): Sh {
  if (headers.length === 0) return sh``;
  const each = headers.map((header) => sh`printf 'header = "%s"\n' "$(printf '%s' ${header} | tr -d '\r\n' | sed 's/[\\"]/\\\\&/g')"`);
  return sh`{ ${lines(...each)}
  } | `;
}

function statuses({ status }: Pick<Want, 'status'>): readonly number[] {
  return typeof status === 'number' ? [status] : status;
}

function judgements({ contains = [], matches, response_headers }: Want): readonly Sh[] {
  const halves = sh`  head=\${answer%%

*}`;
  const page = contains.length > 0 || matches !== undefined;
  const fails = (why: string): Sh => sh`{ said="$said; "${why}; return 1; }`;
  return [
    ...(page || Object.keys(response_headers).length > 0 ? [halves] : []),
    ...(page ? [sh`  page=\${answer#"$head"}`] : []),
    ...toList(contains).map(
      (wanted) => sh`wanted=${wanted}
  case $page in *"$wanted"*) ;; *) ${fails('the page does not contain the text')} ;; esac`,
    ),
    ...(matches === undefined ? [] : [sh`  printf '%s\n' "$page" | grep -qE -- ${matches} || ${fails('no line of the page matches')}`]),
    ...Object.entries(response_headers).map(
      ([name, wanted]) =>
        sh`  printf '%s\n' "$head" | grep -i -- ${`^${name}:`} | grep -qF -- ${wanted} || ${fails(`the header ${name} is another`)}`,
    ),
  ];
}

function expectation({ status, contains = [], matches, response_headers }: Want): string {
  const page = [
    ...toList(contains).map((wanted) => `contains ${JSON.stringify(wanted)}`),
    ...(matches === undefined ? [] : [`matches ${matches}`]),
  ];
  const headers = Object.entries(response_headers).map(([name, wanted]) => (wanted === '' ? name : `${name}: ${wanted}`));
  return [
    `status ${statuses({ status }).join(' or ')}`,
    ...(page.length > 0 ? [`a page that ${page.join(' and ')}`] : []),
    ...(headers.length > 0 ? [`the header${headers.length > 1 ? 's' : ''} ${headers.join(', ')}`] : []),
  ].join(' and ');
}
