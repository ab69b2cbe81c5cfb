/** Parameters of the task `nginx_config`. */
import { z } from 'zod';
import { accountName, fileContent } from '../params.ts';
import { anyAddress, plainName, portNumber, refuseFaults, siteNames, sitePage, tcpListen } from '../web-sites.ts';
import { optionalPrefix } from './layout.ts';

const listen = tcpListen.extend({
  protocol: z.enum(['tcp', 'udp']).default('tcp').describe('udp: every datagram is answered with the page'),
});

const site = z
  .strictObject({
    name: plainName.describe('Name of the site; its page lies in a folder of that name'),
    listen: z.array(listen).min(1).describe('Where it listens'),
    server_name: siteNames,
    ...sitePage,
    status: z.int().min(200).max(599).default(200).describe('Status that every path is answered with; 200: what is there is served'),
  })
  .check(({ value: { page, root, listen: listens, status }, issues }) => {
    const wrong = (message: string, path: string) => issues.push({ code: 'custom', message, input: page, path: [path] });
    const udp = listens.filter(({ protocol }) => protocol === 'udp');
    if ((page === undefined) === (root === undefined)) wrong('one of "page" and "root"', 'page');
    if (root !== undefined && status !== 200) wrong('a site with a status answers with a page', 'status');
    if (udp.length > 0 && (page === undefined || page.includes('$'))) wrong('what UDP is answered with is a page without "$"', 'page');
    if (udp.some(({ tls }) => tls)) wrong('TLS is for TCP', 'listen');
  });

export const nginxParams = z
  .strictObject({
    prefix: optionalPrefix,
    user: accountName.optional().describe("User of the workers; the package's own unless said"),
    group: accountName.optional().describe("Group of the workers; the package's own unless said"),
    port: portNumber.optional().describe('The only site in short: port of the page'),
    listen: z
      .array(anyAddress)
      .min(1)
      .default(['0.0.0.0'])
      .describe('The only site in short: addresses that nginx listens on; 0.0.0.0 covers RIP and VIP'),
    marker: fileContent
      .optional()
      .describe('The only site in short: body of the page, usually the name of the host, so that answers can be told apart'),
    sites: z
      .array(site)
      .optional()
      .describe('Instead of port and marker: any number of sites, also none (then nginx serves what lies in conf.d)'),
    nofile: z.int().min(64).max(1073741816).optional().describe('Open files per worker; as its unit says unless said here'),
    workers: z
      .union([z.literal('auto'), z.int().min(1).max(1024)])
      .default('auto')
      .describe('Number of workers; auto: one per processor'),
    connections: z
      .int()
      .min(16)
      .max(1000000)
      .optional()
      .describe('Connections per worker, at most nofile; 1024 unless said, or nofile where that is less'),
    keepalive: z.int().min(0).max(86400).default(65).describe('Seconds that an idle connection of a client is kept; 0: none is'),
  })
  .check(({ value: { prefix, user, group, nofile, port, marker, sites, connections }, issues }) => {
    const wrong = (message: string, path: string) => issues.push({ code: 'custom', message, input: sites, path: [path] });
    if ((connections ?? 0) > (nofile ?? 1000000))
      wrong('more connections than open files: raise nofile or lower connections', 'connections');
    const missing = Object.entries({ user, group, nofile }).find(([, value]) => value === undefined)?.[0];
    if (prefix !== undefined && missing !== undefined) wrong('needed where nginx was built into a prefix', missing);
    if (user === undefined && group !== undefined) wrong('needed where "group" is given', 'user');
    if (sites === undefined && (port === undefined || marker === undefined)) wrong('"port" and "marker", or "sites"', 'sites');
    if (sites !== undefined && (port !== undefined || marker !== undefined)) wrong('either "sites" or "port" and "marker"', 'sites');
    refuseFaults(sites ?? [], issues);
  });

export type NginxWant = z.output<typeof nginxParams>;
export type NginxSite = z.output<typeof site>;
