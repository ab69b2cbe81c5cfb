/** nginx on the directors passes requests on: it runs, with the configuration that is there, and every backend answers each director. */
import { z } from 'zod';
import type { Fleet, Host, ProxySite, UpstreamServer } from '../model.ts';
import { defineCheck, type Finding, type Look } from '../task.ts';
import { nginxLayout } from '../tasks/support/nginx/layout.ts';
import { probeConfig } from '../tasks/support/nginx/process.ts';
import { text } from '../tasks/support/params.ts';
import { parseUnit, unitProbe } from '../tasks/support/systemd/unit.ts';
import { sitePage } from './support/entrances.ts';
import { excerpt, fail, nobodyLooked, notRun, pass, toolMissing, unreadable } from './support/finding.ts';
import { listenerProbe, listeners } from './support/listeners.ts';
import { fetchPages, type Page, type PageRequest, pageOf } from './support/pages.ts';
import { httpStatus, urlPath } from './support/params.ts';
import { heard, type Said, telling } from './support/said.ts';
import { endpoint } from './support/topology.ts';
import { judgeUnit } from './support/unit.ts';
import { statusIsRight, statusWords, type WebPage } from './support/web-pages.ts';

const params = z.strictObject({
  path: urlPath.default('/').describe('Path of the page, with its query.'),
  status: httpStatus
    .optional()
    .describe('HTTP status that the page answers with; unless said, 200 where lvsctl sees to the web servers, otherwise any below 500.'),
  marker: text
    .min(1)
    .optional()
    .describe(
      "Text in the body of every backend's page; hostname stands for each backend's own name in the inventory, as a whole word, and is looked for on pages that lvsctl wrote unless said.",
    ),
});

type Want = z.infer<typeof params>;

/** What a director asks for: a site of its own nginx, or a backend that this nginx would ask. */
interface Target {
  readonly address: string;
  readonly port: number;
  readonly serverName: string | undefined;
  /** Absent: the site itself. */
  readonly backend?: string;
  /** The page that the backends have for this name. */
  readonly page: WebPage;
}

const expected = 'nginx on each director passes the sites on, and each backend answers it';

export default defineCheck<Want>({
  summary: "Each director's nginx runs with its configuration and answers for every site, and every backend answers each director.",
  params,
  from: ['director'],
  probe: (want, host, fleet) =>
    fleet.proxy &&
    telling(
      unitProbe('nginx.service'),
      listenerProbe,
      probeConfig(nginxLayout(undefined)),
      fetchPages(targets(host, fleet).map((target) => request(target, want))),
    ),
  expect: (looks, want, { fleet }) =>
    looks.length === 0 ? [nobodyLooked('director', fleet, expected)] : looks.flatMap((look) => judgeHost(look, want, fleet)),
  example: { path: '/', status: 200, marker: 'hostname' },
});

function judgeHost(look: Look, want: Want, fleet: Fleet): readonly Finding[] {
  const said = heard(look);
  const { host } = look;
  if (!said) return [unreadable(look, expected)];
  const pages =
    said.first('missing') === 'curl'
      ? [toolMissing(host, 'curl', 'curl', expected)]
      : targets(host, fleet).map((target, index) => judgePage(target, pageOf(said, index), want, look));
  return [...judgeUnit(host.name, 'nginx', parseUnit(look.output)), ...judgeLoaded(host, said), ...judgePorts(host, said, fleet), ...pages];
}

/** None when no nginx runs: that is a finding already. */
function judgeLoaded({ name }: Host, said: Said): readonly Finding[] {
  const wanted = 'the running nginx has read the configuration that is there';
  const state = said.first('config');
  if (state === 'loaded') return [pass(name, 'nginx has loaded its configuration', wanted)];
  if (state !== 'pending') return [];
  return [
    fail(
      name,
      'a file of /etc/nginx was changed after nginx had read it',
      wanted,
      `systemctl reload nginx on ${name}, once nginx -t accepts it`,
    ),
  ];
}

function judgePorts({ name }: Host, said: Said, { proxy }: Fleet): readonly Finding[] {
  const open = listeners(said);
  const ports = [...new Set((proxy?.sites ?? []).map(({ port }) => port))];
  return ports.map((port) => {
    const wanted = `nginx listens on port ${port}`;
    if (!open) return notRun(name, 'neither ss nor /proc/net/tcp tells who listens', wanted, `install iproute2 on ${name}`);
    const found = open.some((each) => each.port === port && each.address === '*');
    if (found) return pass(name, `something listens on port ${port} of every address`, wanted);
    return fail(
      name,
      `nothing listens on port ${port} of every address`,
      wanted,
      'lvsctl deploy; if that changes nothing: nginx -t says why',
    );
  });
}

/** The sites at the director's own address, so that one which has no VIP is looked at too, and every backend that it would ask. */
function targets(host: Host, fleet: Fleet): readonly Target[] {
  const { sites, upstreams } = fleet.proxy ?? { sites: [], upstreams: [] };
  const behind = (site: ProxySite): readonly UpstreamServer[] => {
    const names = [site.upstream, ...site.byUserAgent.map(({ upstream }) => upstream)];
    return upstreams.filter(({ name }) => names.includes(name)).flatMap((each) => each.servers);
  };
  const own = sites
    .filter((site) => alone(site, sites))
    .flatMap((site) => {
      const address = ownAddress(host, site.vip);
      const { port, serverName } = site;
      return address === undefined ? [] : [{ address, port, serverName, page: sitePage(serverName, behind(site), fleet) }];
    });
  const backends = sites.flatMap((site) =>
    behind(site)
      .filter(({ weight }) => weight > 0)
      .map((server) => backendTarget(server, site, fleet)),
  );
  const key = ({ address, port, serverName = '' }: Target) => `${endpoint(address, port)} ${serverName}`;
  return [...own, ...new Map(backends.map((target) => [key(target), target])).values()];
}

/** Sites of several VIPs on one port are told apart by the VIP: the director's own address is none of them. */
function alone(site: ProxySite, sites: readonly ProxySite[]): boolean {
  return sites.every(({ vip, port }) => port !== site.port || vip === site.vip || !sameFamily(vip, site.vip));
}

function sameFamily(one: string, other: string): boolean {
  return one.includes(':') === other.includes(':');
}

function ownAddress({ interfaces }: Host, vip: string): string | undefined {
  const all = interfaces.flatMap(({ addresses }) => addresses.map((address) => address.split('/', 1)[0] ?? ''));
  return all.find((address) => sameFamily(address, vip));
}

function backendTarget(server: UpstreamServer, { serverName }: ProxySite, fleet: Fleet): Target {
  const { host, address, port } = server;
  return { address, port, serverName, backend: host, page: sitePage(serverName, [server], fleet) };
}

function request({ address, port, serverName, backend, page }: Target, { path, marker: said }: Want): PageRequest {
  const marker = said ?? 'hostname';
  const usual = marker === 'hostname';
  const asked = { url: `http://${endpoint(address, port)}${usual && page.text !== undefined ? page.path : path}`, hostHeader: serverName };
  if (usual && page.text !== undefined) return { ...asked, marker: page.text, match: 'text' };
  // A page that lvsctl did not write need not hold the name, unless the user says that it does.
  if (usual && backend !== undefined && (page.named || said !== undefined)) return { ...asked, marker: backend, match: 'word' };
  return { ...asked, marker: usual ? '' : marker, match: 'text' };
}

function judgePage(target: Target, page: Page | undefined, want: Want, look: Look): Finding {
  const { address, port, serverName, backend } = target;
  const site = `${serverName ?? 'the site'} on port ${port}`;
  const { name } = look.host;
  const asked = request(target, want);
  const right = { status: want.status ?? target.page.status };
  const wanted = `${statusWords(right)}${asked.marker === '' ? '' : ` with "${excerpt(asked.marker)}"`} at ${asked.url}`;
  if (!page) return unreadable(look, wanted);
  const who = backend === undefined ? `nginx of ${name}` : `${backend} (${endpoint(address, port)})`;
  const place = backend ?? name;
  const fix =
    backend === undefined
      ? `tail /var/log/nginx/error.log on ${name}: it names the backend that did not answer`
      : `start the web server on ${backend}, and let ${name} in; see backend_service`;
  if (page.exit !== 0) return fail(place, `${who} gave ${name} no page for ${site} (curl ended with ${page.exit})`, wanted, fix);
  if (!statusIsRight(right, page.status)) return fail(place, `${who} answered ${name} with status ${page.status} for ${site}`, wanted, fix);
  if (!page.marked) {
    const more = `put "${excerpt(asked.marker)}" on the page of ${place}, or give this check its marker`;
    return fail(
      place,
      `${who} answered ${name} without "${excerpt(asked.marker)}" for ${site}: "${excerpt(page.beginning)}"`,
      wanted,
      more,
    );
  }
  return pass(place, `${who} answered ${name} with status ${page.status} and "${excerpt(page.beginning)}" for ${site}`, wanted);
}
