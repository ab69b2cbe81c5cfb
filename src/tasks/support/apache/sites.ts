/** What Apache's configuration says of sites. Its `Listen PORT` takes both families, so that every address is one there. */
import { endpoints, type Listen, namesOf } from '../web-sites.ts';

interface Site {
  readonly name: string;
  readonly listen: readonly Listen[];
  readonly server_name?: string | readonly string[] | undefined;
}

const wild = ({ address }: Pick<Listen, 'address'>): boolean => address === undefined || address === '0.0.0.0' || address === '::';

/** One form for every address, so that sites which share a socket are seen to. */
export function normal<Each extends Site>(sites: readonly Each[]): readonly Each[] {
  return sites.map((site) => {
    const listen = site.listen.map(({ address, port }) => (address === undefined || wild({ address }) ? { port } : { address, port }));
    return { ...site, listen: [...new Map(listen.map((each) => [virtual(each), each])).values()] };
  });
}

/** `*:80`, `10.18.43.30:80`, `[fd79::30]:80`. */
function virtual({ address, port }: Listen): string {
  return address === undefined ? `*:${port}` : `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** A virtual host; without a site it answers for names that nobody has. Order counts: Apache gives those to the first of an endpoint. */
export function virtualHosts<Each extends Site>(
  all: readonly Each[],
): readonly { readonly site: Each | undefined; readonly endpoints: readonly string[]; readonly names: readonly string[] }[] {
  const sites = normal(all);
  const named = [...endpoints(sites).values()].filter((users) => users.every(({ site }) => namesOf(site).length > 0));
  const strangers = named.flatMap((users) => users.slice(0, 1).map(({ listen }) => virtual(listen)));
  const hosts = sites.map((site) => ({ site, endpoints: site.listen.map(virtual), names: namesOf(site) }));
  return [
    ...(strangers.length > 0 ? [{ site: undefined, endpoints: strangers, names: ['unknown.invalid'] }] : []),
    ...hosts.filter(({ names }) => names.length === 0),
    ...hosts.filter(({ names }) => names.length > 0),
  ];
}

/** Arguments of `Listen`: what the sites need and `others` (arguments that stand elsewhere) do not say already. */
export function listenLines(sites: readonly Site[], others: readonly string[]): readonly string[] {
  const wanted = normal(sites).flatMap(({ listen }) => listen);
  const said = others.map((line) => line.split(/\s/, 1)[0]?.replace(/^(\*|0\.0\.0\.0|\[::\]):/, '') ?? '');
  const everywhere = new Set([...said, ...wanted.filter(wild).map(({ port }) => String(port))]);
  const own = wanted.filter((listen) => wild(listen) || !everywhere.has(String(listen.port)));
  const words = own.map((listen) => (wild(listen) ? String(listen.port) : virtual(listen)));
  return [...new Set(words)].filter((word) => !said.includes(word));
}
