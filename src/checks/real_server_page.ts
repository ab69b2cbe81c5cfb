/** Each backend's own page, fetched past the directors. */
import { z } from 'zod';
import { defineCheck, type Finding, type Look, lines } from '../task.ts';
import { text } from '../tasks/support/params.ts';
import { connections } from './support/connections.ts';
import { datagrams } from './support/datagrams.ts';
import { excerpt, fail, nobodyLooked, pass, toolMissing, unreadable } from './support/finding.ts';
import { fetchPages, type Page, type PageRequest, pageOf } from './support/pages.ts';
import { headerValue, httpStatus, port, urlPath } from './support/params.ts';
import { type Answer, answersOf } from './support/requests.ts';
import { heard, type Said, telling } from './support/said.ts';
import { type Target, targetsFor, targetUrl } from './support/targets.ts';
import { endpoint } from './support/topology.ts';
import { pageAddress, statusIsRight, statusWords, type WebPage } from './support/web-pages.ts';

const params = z.strictObject({
  path: urlPath
    .optional()
    .describe(
      "Path of the page, with its query; unless said, the health check's, otherwise / where lvsctl sees to the web server. Where neither is, and no other parameter is said, connections are opened alone.",
    ),
  port: port.optional().describe('Port on every backend; unless said, the ports of the services.'),
  status: httpStatus.optional().describe("HTTP status that the page answers with; unless said, the health check's, otherwise 200."),
  marker: text
    .min(1)
    .optional()
    .describe(
      "Text that the body must contain; hostname stands for each backend's own name in the inventory, as a whole word, and is looked for on pages that lvsctl wrote unless said.",
    ),
  host_header: headerValue
    .optional()
    .describe("Host header, where the backend serves several sites; unless said, the health check's or the site's, otherwise the address."),
});

type Want = z.infer<typeof params>;

export default defineCheck<Want>({
  summary: 'Each backend answers at its own address (RIP) with its page, seen from the directors and from clients on its segment.',
  params,
  from: ['director', 'client'],
  probe: (want, host, fleet) => {
    const targets = targetsFor(host, want, fleet);
    if (targets.length === 0) return undefined;
    const pages = targets.flatMap((target) => request(target) ?? []);
    return telling(
      pages.length > 0 && fetchPages(pages),
      lines(...targets.flatMap((target, id) => (target.page ? [] : [target.protocol === 'udp' ? send(target, id) : open(target, id)]))),
    );
  },
  expect: (looks, want, { fleet }) => {
    const expected = "each backend's page with its name, or the page of its health check";
    if (looks.length === 0) return [nobodyLooked('director', fleet, expected)];
    return looks.flatMap((look) => judgeLook(look, targetsFor(look.host, want, fleet), expected));
  },
  example: { status: 200, marker: 'hostname' },
});

function request(target: Target): PageRequest | undefined {
  const { page, rip, port, marker, match } = target;
  if (!page) return undefined;
  return {
    url: targetUrl(target),
    hostHeader: page.hostHeader,
    resolve: pageAddress(page, rip, port),
    marker: marker ?? '',
    match: marker === undefined ? 'text' : match,
  };
}

/** One: more would tell no more. */
function open({ rip, port }: Target, id: number) {
  return connections({ id, address: rip, port, requests: 1 });
}

function send({ rip, port, payload, marker }: Target, id: number) {
  return datagrams({ id, address: rip, port, requests: 1, payload, markers: marker === undefined ? [] : [marker] });
}

function judgeLook(look: Look, targets: readonly Target[], expected: string): readonly Finding[] {
  const said = heard(look);
  const from = look.host.role;
  if (!said) return [{ ...unreadable(look, expected), from }];
  const pages = targets.flatMap((target) => (target.page ? [{ ...target, page: target.page }] : []));
  const fetched =
    said.first('missing') === 'curl'
      ? [toolMissing(look.host, 'curl', 'curl', expected)]
      : pages.map((target, index) => judge(target, pageOf(said, index), look));
  const sent = targets.flatMap((target, id) => (target.page ? [] : [judgeSent(target, id, said, look)]));
  return [...fetched, ...sent].map((finding) => ({ ...finding, from }));
}

type PageTarget = Target & { readonly page: WebPage };

function judge(target: PageTarget, page: Page | undefined, look: Look): Finding {
  const { host, rip, port, marker } = target;
  const place = `${host} (${endpoint(rip, port)})`;
  const shown = marker === undefined ? '' : ` with "${excerpt(marker)}"`;
  const name = target.page.hostHeader === undefined ? '' : ` for ${target.page.hostHeader}`;
  const expected = `${statusWords(target.page)}${shown} at ${targetUrl(target)}${name}`;
  if (!page) return unreadable(look, expected);
  const wrong = trouble(page, target, look.host.name);
  if (wrong) return fail(host, `${place} ${wrong.found}`, expected, wrong.fix);
  const held = marker === undefined ? '' : ` and "${excerpt(marker)}"`;
  return pass(
    host,
    `${place} answered ${look.host.name} with status ${page.status}${held} in ${Math.round(page.seconds * 1000)} ms`,
    expected,
  );
}

function trouble(page: Page, target: PageTarget, seer: string): { readonly found: string; readonly fix: string } | undefined {
  const { host, rip, port, marker = '' } = target;
  const { tls } = target.page;
  if (page.exit === 7) return { found: `refused the connection of ${seer}`, fix: `start the web server on ${host}; see backend_service` };
  if (page.exit === 28) return { found: `did not answer ${seer} within 3 s`, fix: silenceFix(target, seer) };
  if (page.exit === 35 && tls) return { found: `speaks no TLS with ${seer}`, fix: `TLS on port ${port} of ${host}, as the inventory says` };
  if (page.exit !== 0)
    return {
      found: `gave ${seer} no page (curl ended with ${page.exit})`,
      fix: `curl -v${tls ? 'k' : ''} ${targetUrl(target)} on ${seer}`,
    };
  if (!statusIsRight(target.page, page.status))
    return { found: `answered ${seer} with status ${page.status}`, fix: `see the error log of the web server on ${host}` };
  if (page.marked) return undefined;
  const beginning = page.beginning === '' ? 'an empty first line' : `"${excerpt(page.beginning)}"`;
  const fix = `another host answers at ${rip}, or the page of ${host} does not hold it: put it there, or give this check its marker`;
  return { found: `answered ${seer} without "${excerpt(marker)}": ${beginning}`, fix };
}

/** A director with a VIP of /128 sends from it unless it is deprecated, and the backend answers itself. */
function silenceFix({ host, rip, port }: Target, seer: string): string {
  const open = `let TCP port ${port} in on ${host}, and see that it is up: ping ${rip}`;
  return rip.includes(':') ? `${open}; ip -6 route get ${rip} on ${seer} must not say src VIP (a VIP has preferred_lft 0)` : open;
}

/** Any answer will do, and of a connection that it is taken: what a server of names, of time or of data says does not hold its own. */
function judgeSent(target: Target, id: number, said: Said, look: Look): Finding {
  const { rip, port, protocol } = target;
  const place = `${protocol === 'udp' ? 'UDP ' : ''}${endpoint(rip, port)}`;
  const expected = protocol === 'udp' ? `an answer from ${place}` : `${place} takes connections`;
  const lack = said
    .all('lack')
    .find((line) => line.startsWith(`${id} `))
    ?.split(' ')[1];
  if (lack !== undefined) return toolMissing(look.host, lack, lack === 'timeout' ? 'coreutils' : lack, expected);
  const [answer] = answersOf(said, id);
  if (!answer) return unreadable(look, expected);
  const refused = said.all('refused').includes(String(id));
  return protocol === 'udp' ? judgeDatagram(target, answer, look, expected) : judgeConnection(target, answer, { look, expected, refused });
}

function judgeDatagram({ host, rip, port }: Target, answer: Answer, look: Look, expected: string): Finding {
  const place = `${host} (UDP ${endpoint(rip, port)})`;
  if (answer.status !== 200) {
    const fix = `start the server on ${host}, see backend_service; then let UDP port ${port} in on ${host}`;
    return fail(host, `${place} did not answer a datagram of ${look.host.name}`, expected, fix);
  }
  return pass(host, `${place} answered a datagram of ${look.host.name}${answer.markers.length > 0 ? ' with its name' : ''}`, expected);
}

interface Tried {
  readonly look: Look;
  readonly expected: string;
  readonly refused: boolean;
}

function judgeConnection(target: Target, { status }: Answer, { look, expected, refused }: Tried): Finding {
  const { host, rip, port } = target;
  const place = `${host} (${endpoint(rip, port)})`;
  const seer = look.host.name;
  if (status === 200) return pass(host, `${place} took a connection of ${seer}`, expected);
  if (refused)
    return fail(host, `${place} refused the connection of ${seer}`, expected, `start the server on ${host}; see backend_service`);
  return fail(host, `${place} did not answer ${seer} within 2 s`, expected, silenceFix(target, seer));
}
