import type { Upstream } from '../../model.ts';
import { familyOf } from '../addresses.ts';
import { type Complaint, fault, keyFault, type Path } from '../complaints.ts';
import { chosenBackends } from '../hosts/entries.ts';
import type { SiteShape } from '../schema/proxy.ts';
import type { Draft } from './draft.ts';
import { unreachableVip } from './vip.ts';

/** The site's own backends, or those for some browsers, and where they are said. */
interface Choice {
  readonly backends: SiteShape['backends'];
  readonly path: Path;
  readonly upstream: Upstream | undefined;
}

/** Rules about sites of nginx on the directors. */
export function proxyFaults(draft: Draft): readonly Complaint[] {
  return (draft.shape.proxy?.sites ?? []).flatMap((said, index) => {
    const twice = duplicate(draft, index);
    const wrong = twice ?? plainFault(said, index);
    if (wrong) return [wrong];
    const known = draft.fleet.groups.backends ?? [];
    const choices = choicesOf(said, index, draft).flatMap(
      (choice) => nameFaults(choice, known) ?? [...tlsFaults(choice, draft), ...upstreamFaults(choice, said, index)],
    );
    return [...vipFaults(index, draft), ...choices];
  });
}

/** Where the VIP is that of services too, their rule speaks of it; where several sites have it, once, and one word is enough for all. */
function vipFaults(index: number, { shape, fleet }: Draft): readonly Complaint[] {
  const sites = fleet.proxy?.sites ?? [];
  const vip = sites[index]?.vip;
  if (vip === undefined || sites.findIndex((site) => site.vip === vip) < index || fleet.services.some((service) => service.vip === vip))
    return [];
  const routed = sites.some((site, place) => site.vip === vip && shape.proxy?.sites[place]?.routed);
  return routed ? [] : unreachableVip(vip, ['proxy', 'sites', index, 'vip'], fleet);
}

function duplicate({ fleet, locate }: Draft, index: number): Complaint | undefined {
  const sites = fleet.proxy?.sites ?? [];
  const site = sites[index];
  const same = sites.findIndex(({ vip, port, serverName }) => vip === site?.vip && port === site.port && serverName === site.serverName);
  if (!site || same === index) return undefined;
  const found = `the site ${site.vip}:${site.port} is there already (line ${locate({ at: ['proxy', 'sites', same, 'vip'] }).line})`;
  return fault('duplicate-service', ['proxy', 'sites', index, 'vip'], found, 'tell sites of one VIP and port apart by server_name');
}

/** A browser asks for TLS on 443, and nginx on the directors is given no certificate. */
function plainFault({ vip, port }: SiteShape, index: number): Complaint | undefined {
  if (port !== 443) return undefined;
  const found = `nginx on the directors has no certificate: it would serve ${familyOf(vip) === 'ipv6' ? `[${vip}]` : vip}:443 as plain HTTP`;
  const hint = 'say a service with port 443, whose backends serve TLS, or a playbook of your own: "listen" of nginx_proxy has "tls"';
  return fault('no-tls', ['proxy', 'sites', index, 'port'], found, hint);
}

/** As nginx or Apache on the backends is set up; of a web server that lvsctl does not know, 443. */
function tlsFaults({ path, upstream }: Choice, { fleet }: Draft): readonly Complaint[] {
  const listeners = (fleet.nginx ?? fleet.apache)?.listeners ?? [];
  const server = upstream?.servers.find(
    ({ port }) => listeners.find((each) => each.port === port && each.protocol === 'tcp')?.tls ?? port === 443,
  );
  if (!server) return [];
  const found = `${server.host} serves TLS on port ${server.port}, and nginx on the directors speaks plain HTTP to backends`;
  return [keyFault('no-tls', path, found, 'name a port of theirs without TLS, as backend_port or port')];
}

function choicesOf(said: SiteShape, index: number, { fleet }: Draft): readonly Choice[] {
  const at = ['proxy', 'sites', index];
  const site = fleet.proxy?.sites[index];
  const named = (name: string | undefined) => fleet.proxy?.upstreams.find((each) => each.name === name);
  const others = said.by_user_agent.map(({ backends }, number) => {
    const path = [...at, 'by_user_agent', number, 'backends'];
    return { backends, path, upstream: named(site?.byUserAgent[number]?.upstream) };
  });
  return [{ backends: said.backends, path: [...at, 'backends'], upstream: named(site?.upstream) }, ...others];
}

function nameFaults({ backends, path }: Choice, known: readonly string[]): readonly Complaint[] | undefined {
  const { names } = chosenBackends(backends);
  if (names?.length === 0) return [keyFault('empty-group', path, 'this site has no backends', 'say all, or at least one name')];
  const unknown = (names ?? []).filter((name) => !known.includes(name));
  if (unknown.length === 0) return undefined;
  return unknown.map((name) => keyFault('unknown-host', path, `no backend is called "${name}"`, `backends: ${known.join(', ')}`));
}

/** What nginx refuses only on the directors, when all else is done already. */
function upstreamFaults({ path, upstream }: Choice, { method }: SiteShape, index: number): readonly Complaint[] {
  const servers = upstream?.servers ?? [];
  const spare = servers.find(({ backup }) => backup);
  if (method === 'ip_hash' && spare) {
    const found = `${spare.host} is a backup, and ip_hash has none`;
    return [fault('no-backup', [...path, spare.host, 'backup'], found, 'take backup away, or say another method')];
  }
  if (servers.length === 0 || servers.some(({ backup, weight }) => !backup && weight > 0)) return [];
  const why = servers.every(({ backup }) => backup) ? 'is a backup' : spare ? 'is a backup or has weight 0' : 'has weight 0';
  const hint = 'nginx wants one that is asked first: give it a weight above 0, and no backup';
  return [fault('no-weight', path, `every backend of proxy.sites[${index}] ${why}`, hint)];
}
