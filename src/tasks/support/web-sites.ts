/**
 * Sites of a web server as parameters: what they listen on, under which names they answer, and what. Values that a configuration file
 * could not carry as plain words are refused here, so that none can become syntax.
 */
import { z } from 'zod';
import { absolutePath, fileContent, oneOrMore, toList } from './params.ts';

/** A path that stands in a configuration file without quotes. */
export const plainPath = absolutePath.refine(
  (path) => /^[A-Za-z0-9_./+-]+$/.test(path),
  'a path of letters, digits, "_", ".", "+", "-" and "/"',
);

export const plainName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'letters, digits, "_", "." and "-", starting with a letter or digit');

/** A name of a host, also as `*.example.org`. */
export const serverName = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$/,
    'a name such as www.example.org or *.example.org',
  );

export const portNumber = z.int().min(1).max(65535);
export const anyAddress = z.union([z.ipv4(), z.ipv6()], { error: 'an IPv4 or IPv6 address' });

export const tlsFiles = z.strictObject({
  certificate: plainPath.describe('Certificate on the host (PEM), with those that lead to its authority'),
  key: plainPath.describe('Its private key on the host (PEM)'),
});

/** Where a site listens over TCP. */
export const tcpListen = z.strictObject({
  address: anyAddress.optional().describe('Address; absent: every IPv4 address, also one that comes later; "::": every IPv6 address'),
  port: portNumber.describe('Port. Where SELinux is on, one that no web server usually has needs the label http_port_t (selinux_port)'),
  tls: tlsFiles.optional().describe('TLS with this certificate; absent: none'),
});

export type Listen = z.output<typeof tcpListen> & { readonly protocol?: 'tcp' | 'udp' };

export const siteNames = oneOrMore(serverName)
  .optional()
  .describe('Names (Host headers) that the site answers to; absent: to all that no other site on its ports has');

/** What a site answers. */
export const sitePage = {
  path: z
    .string()
    .max(1024)
    .regex(/^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)*\/?$/, 'a path that starts with "/", of letters, digits and . _ ~ -')
    .startsWith('/')
    .default('/')
    .describe('Path of its page'),
  page: fileContent.optional().describe('Body of its page, usually the name of the host, so that answers can be told apart'),
  root: plainPath.optional().describe('Folder of the host that is served, instead of a page'),
};

/** The file of a page: `/` and what ends in it are folders with an index.html. */
export function pageFile(root: string, path: string): string {
  return `${root}${path}${path.endsWith('/') ? 'index.html' : ''}`;
}

/** `0.0.0.0:80`, `[::]:80`. */
export function endpointOf({ address = '0.0.0.0', port }: Listen): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

interface Site {
  readonly name: string;
  readonly listen: readonly Listen[];
  readonly server_name?: string | readonly string[] | undefined;
}

export const namesOf = ({ server_name }: Pick<Site, 'server_name'>): readonly string[] =>
  server_name === undefined ? [] : toList(server_name).map((name) => name.toLowerCase());

/** Every endpoint of the sites with those that share it, in order. UDP and TCP are different ones. */
export function endpoints<Each extends Site>(
  sites: readonly Each[],
): ReadonlyMap<string, readonly { readonly site: Each; readonly listen: Listen }[]> {
  const all = sites.flatMap((site) => site.listen.map((listen) => ({ site, listen })));
  const key = ({ listen }: (typeof all)[number]) => `${endpointOf(listen)}${listen.protocol === 'udp' ? ' udp' : ''}`;
  return new Map([...new Set(all.map(key))].map((endpoint) => [endpoint, all.filter((each) => key(each) === endpoint)]));
}

/** What is wrong with sites that share a host, each a sentence; none when they can be served together. */
export function siteFaults(sites: readonly Site[]): readonly string[] {
  const faults: string[] = [];
  const twice = (values: readonly string[]) => values.find((value, index) => values.indexOf(value) !== index);
  const name = twice(sites.map((site) => site.name));
  if (name !== undefined) faults.push(`two sites are named ${name}`);
  for (const [endpoint, users] of endpoints(sites)) {
    const nameless = users.filter(({ site }) => namesOf(site).length === 0);
    const shared = twice(users.flatMap(({ site }) => namesOf(site)));
    const nobody = nameless.map(({ site }) => site.name).join(' and ');
    if (endpoint.endsWith(' udp') && users.length > 1) faults.push(`${endpoint} is listened on twice: a datagram has no name of a site`);
    else if (nameless.length > 1) faults.push(`${nobody} listen on ${endpoint} without a name: give all but one a server_name`);
    if (shared !== undefined) faults.push(`two sites answer to ${shared} on ${endpoint}`);
    if (new Set(users.map(({ listen }) => listen.tls !== undefined)).size > 1)
      faults.push(`${endpoint} is listened on both with and without TLS`);
  }
  return faults;
}

/** For `z.check`: adds each fault of the sites at `path`. */
export function refuseFaults(sites: readonly Site[], issues: z.core.$ZodRawIssue[], path = 'sites'): void {
  for (const message of siteFaults(sites)) issues.push({ code: 'custom', message, input: sites, path: [path] });
}
