/** What users get: requests through the VIP are answered, by the backends in proportion to their weights. */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import type { Fleet, Host, VirtualServer } from '../model.ts';
import { type CheckContext, defineCheck, type Finding, type Look, type Sh, sh } from '../task.ts';
import { hexAddress } from '../tasks/support/ip-vs.ts';
import { fail, nobodyLooked, toolMissing, unreadable } from './support/finding.ts';
import { urlPath } from './support/params.ts';
import { type Answer, answersOf, askedFor, type Campaign, requestProbe } from './support/requests.ts';
import { heard, type Said, telling } from './support/said.ts';
import { endpoint } from './support/topology.ts';
import { judgeErrors, judgeFaithful, judgeShares, type Visit } from './support/visits.ts';

const params = z.strictObject({
  requests: z.number().int().min(1).max(1000).default(40).describe('Requests to each service, each over a new connection.'),
  max_error_rate: z.number().min(0).max(1).default(0).describe('Share of requests that may fail: 0.01 is one in a hundred.'),
  path: urlPath.default('/').describe("Path of a page that holds the backend's name."),
});

type Want = z.infer<typeof params>;

export default defineCheck<Want>({
  summary: 'Requests from the clients through each VIP are answered, and spread over the backends as scheduler and weights say.',
  params,
  from: ['client', 'director'],
  probe: (want, host, fleet) =>
    host.role === 'client'
      ? telling(requestProbe(fleet.services.map((service, id) => campaign(service, id, host, want))))
      : boundProbe(fleet),
  expect: (looks, want, context) => {
    const expected = 'requests through each VIP answered by its backends as their weights say';
    const clients = looks.filter(({ host }) => host.role === 'client');
    const usable = clients.flatMap((look) => visitor(look) ?? []);
    const useless = clients.filter((look) => !visitor(look)).map((look) => obstacle(look, expected));
    if (usable.length === 0) return useless.length > 0 ? useless : [nobodyLooked('client', context.fleet, expected)];
    return [...useless, ...context.fleet.services.flatMap((service, id) => judgeService(service, id, { usable, looks, want, context }))];
  },
  example: { requests: 40, max_error_rate: 0, path: '/' },
});

/** From one address every connection of a persistent or hashing service goes to one backend. */
function needsSources({ persistence, scheduler }: VirtualServer): boolean {
  return persistence !== undefined || scheduler === 'sh' || scheduler === 'mh';
}

function sourcesOf(service: VirtualServer, host: Host): readonly string[] {
  return needsSources(service) && isIPv4(service.vip) ? (host.sources ?? []).filter((address) => isIPv4(address)) : [];
}

function campaign(service: VirtualServer, id: number, host: Host, want: Want): Campaign {
  const sources = sourcesOf(service, host);
  const use = Math.min(sources.length, 8 * service.realServers.length, 64);
  return {
    id,
    vip: service.vip,
    url: `http://${endpoint(service.vip, service.port)}${want.path}`,
    requests: use > 0 ? Math.max(2, Math.ceil(want.requests / use)) : want.requests,
    markers: service.realServers.map((real) => real.host),
    sources,
    use,
  };
}

/** Which of the clients' addresses are bound to a backend already; read before the clients begin, as far as one can. */
function boundProbe(fleet: Fleet): Sh | undefined {
  const clients = fleet.hosts.filter(({ role }) => role === 'client');
  const sources = [...new Set(fleet.services.flatMap((service) => clients.flatMap((host) => sourcesOf(service, host))))];
  if (sources.length === 0) return undefined;
  const pattern = `^[A-Z]+ +(${sources.map(hexAddress).join('|')}) 0000 `;
  return telling(sh`if [ -r /proc/net/ip_vs_conn ]; then
  printf 'bindings\n'
  grep -E ${pattern} /proc/net/ip_vs_conn | while read -r _ client _ vip port _; do printf 'bound %s %s %s\n' "$client" "$vip" "$port"; done
fi`);
}

function visitor(look: Look): { readonly host: Host; readonly said: Said } | undefined {
  const said = heard(look);
  return said && said.first('missing') === undefined ? { host: look.host, said } : undefined;
}

function obstacle(look: Look, expected: string): Finding {
  const missing = heard(look)?.first('missing');
  return missing === undefined
    ? unreadable(look, expected)
    : toolMissing(look.host, missing, missing === 'awk' ? 'mawk' : missing, expected, missing === 'awk' ? 'gawk' : missing);
}

interface Observed {
  readonly usable: readonly { readonly host: Host; readonly said: Said }[];
  readonly looks: readonly Look[];
  readonly want: Want;
  readonly context: CheckContext;
}

function judgeService(service: VirtualServer, id: number, { usable, looks, want, context }: Observed): readonly Finding[] {
  const visits = usable.map(({ host, said }): Visit => {
    const requests = askedFor(said, campaign(service, id, host, want));
    const elsewhere = said.all('route').some((line) => line.startsWith(`${id} `));
    return { client: host.name, requests, answers: answersOf(said, id), sources: elsewhere ? 0 : sourcesOf(service, host).length };
  });
  const taken = usable.flatMap(({ host, said }) =>
    said.all('taken').flatMap((line) => (line.startsWith(`${id} `) ? [inUse(host, line.split(' ')[1] ?? '')] : [])),
  );
  const bound = boundTo(service, looks, context);
  return [
    ...taken,
    ...visits.map((visit) => judgeErrors(service, visit, want.max_error_rate)),
    judgeShares(service, visits, { needsSources: needsSources(service), isBound: bound && ((answer: Answer) => bound.has(answer.source)) }),
    ...judgeFaithful(service, visits),
  ];
}

function inUse({ name }: Host, address: string): Finding {
  const expected = `${address} is free for ${name} to send from`;
  return fail(
    name,
    `another host answers for ${address}, a source of ${name}`,
    expected,
    `take ${address} out of "sources:" of ${name} in the inventory`,
  );
}

/** Addresses bound on the director that has the VIP; `undefined` where that cannot be known. */
function boundTo({ vip, port }: VirtualServer, looks: readonly Look[], { facts }: CheckContext): ReadonlySet<string> | undefined {
  const holders = looks.filter(({ host }) => host.role === 'director' && has(facts[host.name]?.interfaces ?? {}, vip));
  const said = holders.length === 1 && holders[0] ? heard(holders[0]) : undefined;
  if (said?.first('bindings') === undefined) return undefined;
  const suffix = ` ${hexAddress(vip)} ${port.toString(16).padStart(4, '0').toUpperCase()}`;
  const clients = said.all('bound').flatMap((line) => (line.endsWith(suffix) ? [line.slice(0, -suffix.length)] : []));
  return new Set(clients.map((hex) => (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.')));
}

function has(interfaces: CheckContext['facts'][string]['interfaces'], vip: string): boolean {
  return Object.entries(interfaces).some(
    ([nic, { addresses }]) => nic !== 'lo' && addresses.some((address) => address.split('/', 1)[0] === vip),
  );
}
