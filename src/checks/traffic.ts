/** What users get: requests through the VIP are answered, by the backends in proportion to their weights. */
import { z } from 'zod';
import { familyOf } from '../inventory/addresses.ts';
import type { Fleet, Host } from '../model.ts';
import { type CheckContext, defineCheck, type Finding, type Look, type Sh, sh } from '../task.ts';
import { hexAddress } from '../tasks/support/ipvs/kernel-table.ts';
import { type Entrance, entranceName, entrancesOf, needsSources } from './support/entrances.ts';
import { fail, nobodyLooked, notRun, toolMissing, unreadable } from './support/finding.ts';
import { urlPath } from './support/params.ts';
import { type Answer, answersOf, askedFor, type Campaign, requestProbe } from './support/requests.ts';
import { heard, type Said, telling } from './support/said.ts';
import { judgeErrors, judgeFaithful, judgeShares, type Visit } from './support/visits.ts';
import { pageAddress, pageUrl } from './support/web-pages.ts';

const params = z.strictObject({
  requests: z.number().int().min(1).max(1000).default(40).describe('Requests to each service, each over a new connection.'),
  max_error_rate: z.number().min(0).max(1).default(0).describe('Share of requests that may fail: 0.01 is one in a hundred.'),
  path: urlPath
    .optional()
    .describe(
      "Path of a page that holds the backend's name, for every TCP service; unless said, the health check's page, otherwise the one that lvsctl wrote, otherwise connections are opened alone.",
    ),
});

type Want = z.infer<typeof params>;

export default defineCheck<Want>({
  summary: 'Requests from the clients through each VIP are answered, and spread over the backends as scheduler and weights say.',
  params,
  from: ['client', 'director'],
  probe: (want, host, fleet) =>
    host.role === 'client'
      ? telling(requestProbe(entrancesOf(fleet, want.path).map((entrance, id) => campaign(entrance, id, host, want))))
      : boundProbe(fleet, want),
  expect: (looks, want, context) => {
    const expected = 'requests through each VIP answered by its backends as their weights say';
    const clients = looks.filter(({ host }) => host.role === 'client');
    const usable = clients.flatMap((look) => visitor(look) ?? []);
    const useless = clients.filter((look) => !visitor(look)).map((look) => obstacle(look, expected));
    if (usable.length === 0) return useless.length > 0 ? useless : [nobodyLooked('client', context.fleet, expected)];
    return [
      ...useless,
      ...entrancesOf(context.fleet, want.path).flatMap((entrance, id) => judgeEntrance(entrance, id, { usable, looks, want, context })),
    ];
  },
  example: { requests: 40, max_error_rate: 0 },
});

/** Addresses of the VIP's family to send from, where one alone would show nothing. */
function sourcesOf(entrance: Entrance, host: Host): readonly string[] {
  if (!needsSources(entrance) || entrance.wholeNetworks || !entrance.page) return [];
  return (host.sources ?? []).filter((address) => familyOf(address) === familyOf(entrance.vip));
}

function campaign(entrance: Entrance, id: number, host: Host, want: Want): Campaign {
  const { vip, port, protocol, page, servers, userAgent, payload } = entrance;
  const sources = sourcesOf(entrance, host);
  const use = Math.min(sources.length, 8 * servers.length, 64);
  return {
    ...{ id, vip, port, userAgent, payload, connect: protocol === 'tcp' },
    ...(page && { url: pageUrl(page, vip, port), hostHeader: page.hostHeader, resolve: pageAddress(page, vip, port) }),
    requests: use > 0 ? Math.max(2, Math.ceil(want.requests / use)) : requestsTo(entrance, want),
    markers: servers.map((server) => server.host),
    sources,
    use,
  };
}

/** A server that is connected to and told nothing may count that as a mistake, and shut the client out after some: few do. */
function requestsTo({ protocol, page, servers }: Entrance, { requests }: Want): number {
  return page || protocol === 'udp' ? requests : Math.min(requests, 2 * servers.length);
}

/** Which of the clients' addresses are bound to a backend already; read before the clients begin, as far as one can. */
function boundProbe(fleet: Fleet, { path }: Want): Sh | undefined {
  const clients = fleet.hosts.filter(({ role }) => role === 'client');
  const bindable = entrancesOf(fleet, path).filter(({ service }) => service !== undefined);
  const sources = [...new Set(bindable.flatMap((entrance) => clients.flatMap((host) => sourcesOf(entrance, host))))];
  if (sources.length === 0) return undefined;
  const pattern = `^[A-Z]+ +(${sources.map(listedAddress).join('|')}) 0000 `;
  return telling(sh`if [ -r /proc/net/ip_vs_conn ]; then
  printf 'bindings\n'
  grep -E ${pattern} /proc/net/ip_vs_conn | while read -r _ client _ vip port _; do printf 'bound %s %s %s\n' "$client" "$vip" "$port"; done
fi`);
}

/** As the kernel's connection list writes it. */
function listedAddress(address: string): string {
  return hexAddress(address).replace(/[[\]]/g, '');
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

function judgeEntrance(entrance: Entrance, id: number, { usable, looks, want, context }: Observed): readonly Finding[] {
  const ours = (said: Said, key: string): readonly string[] =>
    said.all(key).flatMap((line) => (line.startsWith(`${id} `) ? [line.split(' ')[1] ?? ''] : []));
  const all = usable.map(({ host, said }) => {
    const requests = askedFor(said, campaign(entrance, id, host, want));
    const sources = ours(said, 'route').length > 0 ? 0 : sourcesOf(entrance, host).length;
    const visit: Visit = { client: host.name, requests, answers: answersOf(said, id), sources };
    return { visit, why: cannotVisit(entrance, host, visit, ours(said, 'lack')[0], context) };
  });
  const taken = usable.flatMap(({ host, said }) => ours(said, 'taken').map((address) => inUse(host, address)));
  const visits = all.filter(({ why }) => !why).map(({ visit }) => visit);
  const bound = boundTo(entrance, looks, context);
  return [
    ...taken,
    ...all.flatMap(({ why }) => why ?? []),
    ...visits.map((visit) => judgeErrors(entrance, visit, want.max_error_rate)),
    ...(visits.length > 0
      ? [
          judgeShares(entrance, visits, {
            needsSources: needsSources(entrance),
            isBound: bound && (({ source }: Answer) => bound.has(source)),
          }),
        ]
      : []),
    ...judgeFaithful(entrance, visits),
  ];
}

/** Why this client says nothing of this VIP, where that is no fault of the cluster. */
function cannotVisit(entrance: Entrance, host: Host, { answers }: Visit, lack: string | undefined, { facts }: CheckContext) {
  const expected = `${host.name} reaches ${entranceName(entrance)}`;
  if (lack !== undefined) return toolMissing(host, lack, lack, expected);
  const family = familyOf(entrance.vip);
  const interfaces = Object.entries(facts[host.name]?.interfaces ?? {}).filter(([nic]) => nic !== 'lo');
  const own = interfaces
    .flatMap(([, { addresses }]) => addresses)
    .filter((address) => familyOf(address) === family && !address.startsWith('fe80'));
  if (interfaces.length === 0 || own.length > 0 || answers.some(({ status }) => status !== 0)) return undefined;
  const name = family === 'ipv6' ? 'IPv6' : 'IPv4';
  return notRun(host.name, `${host.name} has no ${name} address`, expected, `a client with ${name}, under "clients:" in the inventory`);
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

/** Addresses bound on the director that has the VIP, as the kernel lists them; `undefined` where that cannot be known. */
function boundTo(entrance: Entrance, looks: readonly Look[], { facts }: CheckContext): { has: (source: string) => boolean } | undefined {
  const { service, vip } = entrance;
  const holders = looks.filter(({ host }) => host.role === 'director' && has(facts[host.name]?.interfaces ?? {}, vip));
  const said = holders.length === 1 && holders[0] ? heard(holders[0]) : undefined;
  if (!service || said?.first('bindings') === undefined) return undefined;
  const suffix = ` ${bindingOf(service)}`;
  const bound = new Set(said.all('bound').flatMap((line) => (line.endsWith(suffix) ? [line.slice(0, -suffix.length)] : [])));
  return { has: (source) => bound.has(listedAddress(source)) };
}

/** What a binding of this service is listed under: the VIP and its port, or the mark in an address's place. */
function bindingOf({ vip, port, fwmark }: NonNullable<Entrance['service']>): string {
  if (!fwmark) return `${listedAddress(vip)} ${port.toString(16).padStart(4, '0').toUpperCase()}`;
  const mark = fwmark.mark.toString(16).padStart(8, '0');
  return `${vip.includes(':') ? `${mark.slice(0, 4)}:${mark.slice(4)}:0000:0000:0000:0000:0000:0000` : mark.toUpperCase()} 0000`;
}

function has(interfaces: CheckContext['facts'][string]['interfaces'], vip: string): boolean {
  return Object.entries(interfaces).some(
    ([nic, { addresses }]) => nic !== 'lo' && addresses.some((address) => address.split('/', 1)[0] === vip),
  );
}
