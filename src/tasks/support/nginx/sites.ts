/** What nginx's configuration says of sites: one `server` for each certificate of a site, and one for names that nobody has. */
import { endpointOf, endpoints, type Listen, namesOf } from '../web-sites.ts';

/** A `server` block, in words that can stand in nginx.conf as they are. */
export interface NginxServer<Site> {
  /** Absent: answers for names that no site has. */
  readonly site: Site | undefined;
  readonly listens: readonly string[];
  readonly names: readonly string[];
  readonly tls: Listen['tls'] | undefined;
}

interface Site {
  readonly name: string;
  readonly listen: readonly Listen[];
  readonly server_name?: string | readonly string[] | undefined;
}

/**
 * nginx gives a request with an unknown name to the first server of its endpoint, so that a site which is gone would still be answered
 * for by another: where every site has names, a server of its own says 404 to all others.
 */
export function nginxServers<Each extends Site>(all: readonly Each[]): readonly NginxServer<Each>[] {
  const sites = all.map((site) => ({ ...site, listen: site.listen.filter(({ protocol }) => protocol !== 'udp') }));
  const named = [...endpoints(sites)].filter(([, users]) => users.every(({ site }) => namesOf(site).length > 0));
  const strangers = named.flatMap(([, users]) => users.slice(0, 1).map(({ listen }) => listen));
  return [
    ...byCertificate(strangers).map(({ tls, listens }) => ({ site: undefined, tls, names: ['_'], listens: words(listens, true) })),
    ...sites.flatMap((site) =>
      byCertificate(site.listen).map(({ tls, listens }) => {
        const names = namesOf(site);
        return { site, tls, names: names.length > 0 ? names : ['_'], listens: words(listens, names.length === 0) };
      }),
    ),
  ];
}

function byCertificate(
  listens: readonly Listen[],
): readonly { readonly tls: Listen['tls'] | undefined; readonly listens: readonly Listen[] }[] {
  const key = ({ tls }: Listen) => `${tls?.certificate ?? ''} ${tls?.key ?? ''}`;
  return [...new Set(listens.map(key))].map((each) => {
    const same = listens.filter((listen) => key(listen) === each);
    return { tls: same[0]?.tls, listens: same };
  });
}

function words(listens: readonly Listen[], byDefault: boolean): readonly string[] {
  return listens.map((listen) => [endpointOf(listen), byDefault && 'default_server', listen.tls && 'ssl'].filter(Boolean).join(' '));
}

/** Text as one word of nginx.conf. `$` would name a variable there and cannot be escaped: see that there is none. */
export function nginxQuote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
