/** Each backend's own page, fetched past the directors. */
import { z } from 'zod';
import type { Fleet, RealServer } from '../model.ts';
import { type CheckContext, defineCheck, type Finding, type Look } from '../task.ts';
import { text } from '../tasks/support/params.ts';
import { excerpt, fail, nobodyLooked, pass, toolMissing, unreadable } from './support/finding.ts';
import { fetchPages, type Page, pageOf } from './support/pages.ts';
import { headerValue, port, urlPath } from './support/params.ts';
import { heard, telling } from './support/said.ts';
import { endpoint } from './support/topology.ts';

const params = z.strictObject({
  path: urlPath.default('/').describe('Path of the page, with its query.'),
  port: port.optional().describe('Port on every backend; unless said, the ports of the services.'),
  status: z.number().int().min(100).max(599).default(200).describe('HTTP status that the page answers with.'),
  marker: text
    .min(1)
    .default('hostname')
    .describe("Text that the body must contain; hostname stands for each backend's own name in the inventory, as a whole word."),
  host_header: headerValue.optional().describe('Host header, where the backend serves several sites; unless said, the address.'),
});

type Want = z.infer<typeof params>;
type Target = Pick<RealServer, 'host' | 'rip' | 'port'>;

export default defineCheck<Want>({
  summary: 'Each backend answers at its own address (RIP) with its page, seen from the directors and the clients.',
  params,
  from: ['director', 'client'],
  probe: (want, _, fleet) =>
    targets(want, fleet).length > 0 ? telling(fetchPages(targets(want, fleet).map((target) => request(target, want)))) : undefined,
  expect: (looks, want, { fleet, facts }) => {
    const expected = `status ${want.status} with ${want.marker === 'hostname' ? "the backend's name" : `"${excerpt(want.marker)}"`} from each backend`;
    if (looks.length === 0) return [nobodyLooked('director', fleet, expected)];
    return looks.flatMap((look) => judgeLook(look, want, { fleet, facts }, expected));
  },
  example: { path: '/', status: 200, marker: 'hostname' },
});

function judgeLook(look: Look, want: Want, { fleet }: CheckContext, expected: string): readonly Finding[] {
  const said = heard(look);
  const from = look.host.role;
  if (!said) return [{ ...unreadable(look, expected), from }];
  if (said.first('missing') === 'curl') return [{ ...toolMissing(look.host, 'curl', 'curl', expected), from }];
  return targets(want, fleet).map((target, index) => ({ ...judge(target, pageOf(said, index), want, look), from }));
}

/** Each address and port once, whichever services lead there. */
function targets({ port }: Want, { services }: Fleet): readonly Target[] {
  const all = services.flatMap(({ realServers }) =>
    realServers.map((real) => ({ host: real.host, rip: real.rip, port: port ?? real.port })),
  );
  return [...new Map(all.map((target) => [`${target.host} ${endpoint(target.rip, target.port)}`, target])).values()];
}

function markerOf({ host }: Target, { marker }: Want) {
  return marker === 'hostname' ? ({ marker: host, match: 'word' } as const) : ({ marker, match: 'text' } as const);
}

function request(target: Target, want: Want) {
  const url = `http://${endpoint(target.rip, target.port)}${want.path}`;
  return { url, hostHeader: want.host_header, ...markerOf(target, want) };
}

function judge(target: Target, page: Page | undefined, want: Want, look: Look): Finding {
  const place = `${target.host} (${endpoint(target.rip, target.port)})`;
  const { marker } = markerOf(target, want);
  const url = `http://${endpoint(target.rip, target.port)}${want.path}`;
  const expected = `status ${want.status} with "${excerpt(marker)}" at ${url}`;
  if (!page) return unreadable(look, expected);
  const wrong = trouble(page, target, want, look.host.name);
  if (wrong) return fail(target.host, `${place} ${wrong.found}`, expected, wrong.fix);
  const milliseconds = Math.round(page.seconds * 1000);
  return pass(
    target.host,
    `${place} answered ${look.host.name} with status ${page.status} and "${excerpt(marker)}" in ${milliseconds} ms`,
    expected,
  );
}

function trouble(page: Page, target: Target, want: Want, seer: string): { readonly found: string; readonly fix: string } | undefined {
  const { host, rip, port } = target;
  if (page.exit === 7)
    return {
      found: `refused the connection of ${seer}`,
      fix: `start the web server on ${host}: systemctl start nginx; see backend_service`,
    };
  if (page.exit === 28)
    return { found: `did not answer ${seer} within 3 s`, fix: `let TCP port ${port} in on ${host}, and see that it is up: ping ${rip}` };
  if (page.exit !== 0)
    return { found: `gave ${seer} no page (curl ended with ${page.exit})`, fix: `curl -v http://${endpoint(rip, port)}/ on ${seer}` };
  if (page.status !== want.status)
    return { found: `answered ${seer} with status ${page.status}`, fix: `see the error log of the web server on ${host}` };
  if (page.marked) return undefined;
  const beginning = page.beginning === '' ? 'an empty first line' : `"${excerpt(page.beginning)}"`;
  const fix = `another host answers at ${rip}, or the page of ${host} does not hold it: put it there, or give this check its marker`;
  return { found: `answered ${seer} without "${excerpt(markerOf(target, want).marker)}": ${beginning}`, fix };
}
