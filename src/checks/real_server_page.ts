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
  const expected = `status ${want.status} with "${excerpt(marker)}" at ${endpoint(target.rip, target.port)}${want.path}`;
  const seer = look.host.name;
  if (!page) return unreadable(look, expected);
  const wrong = (found: string, fix: string): Finding => fail(target.host, found, expected, fix);
  if (page.exit === 7)
    return wrong(
      `${place} refused the connection of ${seer}`,
      `start the web server on ${target.host}: systemctl start nginx; then see backend_service`,
    );
  if (page.exit === 28)
    return wrong(
      `${place} did not answer ${seer} within 3 s`,
      `let TCP port ${target.port} in on ${target.host}, and see that it is up: ping ${target.rip}`,
    );
  if (page.exit !== 0)
    return wrong(
      `${place} gave ${seer} no page (curl ended with ${page.exit})`,
      `curl -v http://${endpoint(target.rip, target.port)}${want.path} on ${seer}`,
    );
  if (page.status !== want.status)
    return wrong(`${place} answered ${seer} with status ${page.status}`, `see the error log of the web server on ${target.host}`);
  if (!page.marked) {
    const found = `${place} answered ${seer} without "${excerpt(marker)}": ${page.beginning === '' ? 'an empty first line' : `"${excerpt(page.beginning)}"`}`;
    return wrong(
      found,
      `another host answers at ${target.rip}, or the page of ${target.host} does not hold it: put it there, or give this check its marker`,
    );
  }
  const milliseconds = Math.round(page.seconds * 1000);
  return pass(target.host, `${place} answered ${seer} with status ${page.status} and "${excerpt(marker)}" in ${milliseconds} ms`, expected);
}
