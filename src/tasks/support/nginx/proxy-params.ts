/** Parameters of the task `nginx_proxy`: upstreams and the sites that are passed on to them. */
import { z } from 'zod';
import { anyAddress, endpointOf, plainName, plainPath, portNumber, refuseFaults, siteNames, tcpListen } from '../web-sites.ts';
import { optionalPrefix } from './layout.ts';

const seconds = z.int().min(1).max(86400);
const size = z.string().regex(/^[1-9][0-9]{0,6}[kKmM]?$/, 'a size such as 4k or 8m');
/** It stands between quotes in nginx.conf, where these signs are nothing but themselves. */
const pattern = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9 _.()|*+?^$/;:,-]+$/, 'a regular expression of letters, digits, blanks and _ . ( ) | * + ? ^ $ / ; : , -');

const server = z.strictObject({
  address: anyAddress.describe('Address of the backend'),
  port: portNumber.describe('Port of the backend'),
  weight: z.int().min(0).max(65535).default(1).describe('Share of the requests; 0: none'),
  max_fails: z.int().min(0).max(1000).default(1).describe('Failed tries within fail_timeout after which it is left out; 0: never'),
  fail_timeout: seconds.default(10).describe('Seconds in which tries are counted, and for which it is left out then'),
  backup: z.boolean().default(false).describe('Asked only when no other is left'),
});

const upstream = z
  .strictObject({
    name: plainName.describe('Name of the upstream'),
    method: z
      .enum(['round_robin', 'least_conn', 'ip_hash', 'hash'])
      .default('round_robin')
      .describe('Who gets the next request: in turn, who has fewest, always the same for a client, or always the same for a key'),
    hash_key: z
      .string()
      .regex(
        /^(request_uri|uri|remote_addr|host|cookie_[a-z0-9_]+|arg_[a-z0-9_]+|http_[a-z0-9_]+)$/,
        'a variable of nginx without its "$", such as request_uri or cookie_session',
      )
      .optional()
      .describe('Of the method hash: the variable of nginx that decides, without its "$"; a server that goes moves few keys'),
    servers: z.array(server).min(1).describe('The backends'),
    keepalive: z
      .int()
      .min(1)
      .max(10000)
      .optional()
      .describe('Idle connections to the backends that each worker keeps; absent: a new one for each request'),
  })
  .check(({ value: { method, hash_key, servers }, issues }) => {
    const wrong = (message: string, path: string) => issues.push({ code: 'custom', message, input: servers, path: [path] });
    if ((method === 'hash') !== (hash_key !== undefined)) wrong('needed with the method hash, and only there', 'hash_key');
    if (method.endsWith('hash') && servers.some(({ backup }) => backup)) wrong('nginx has no backup with ip_hash and hash', 'servers');
    if (servers.every(({ backup, weight }) => backup || weight === 0))
      wrong('no server is left: each is a backup or has weight 0', 'servers');
    if (new Set(servers.map(endpointOf)).size < servers.length) wrong('a server is listed twice', 'servers');
  });

const site = z.strictObject({
  name: plainName.describe('Name of the site'),
  listen: z
    .array(tcpListen)
    .min(1)
    .describe(
      'Where it listens. Without an address every VIP is answered as soon as this host holds it. With one, nginx listens on all of them and tells by the address: it need not be there yet, and no sysctl (ip_nonlocal_bind) is needed',
    ),
  server_name: siteNames,
  upstream: plainName.describe('Upstream that gets the requests'),
  user_agents: z
    .array(
      z.strictObject({
        match: pattern.describe('Regular expression that the User-Agent header matches, in small or large letters'),
        upstream: plainName.describe('Upstream that gets the requests of such clients'),
      }),
    )
    .default([])
    .describe('Upstreams for clients of a kind; the first match counts'),
  client_max_body_size: size.default('1m').describe('Largest body of a request'),
  access_log: plainPath.optional().describe("Path of the site's own log; its folder is made. Absent: nginx's own log"),
  connect_timeout: seconds.max(75).default(5).describe('Seconds until a backend that does not answer is given up, and the next one tried'),
  send_timeout: seconds.default(60).describe('Seconds that a backend may take nothing'),
  read_timeout: seconds.default(60).describe('Seconds that a backend may send nothing'),
  buffering: z.boolean().default(true).describe('Whether answers are read as fast as the backend sends them'),
  buffer_size: size.optional().describe('Buffer for the head of an answer'),
  buffers: z
    .strictObject({ number: z.int().min(2).max(1024).describe('Number of buffers'), size: size.describe('Size of each') })
    .optional()
    .describe('Buffers for the rest of an answer, per connection'),
});

export const proxyParams = z
  .strictObject({
    prefix: optionalPrefix,
    upstreams: z.array(upstream).min(1).describe('Groups of backends'),
    sites: z.array(site).min(1).describe('What is passed on to them'),
  })
  .check(({ value: { upstreams, sites }, issues }) => {
    const names = upstreams.map(({ name }) => name);
    const wrong = (message: string, path: string) => issues.push({ code: 'custom', message, input: sites, path: [path] });
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) wrong(`two upstreams are named ${twice}`, 'upstreams');
    const used = sites.flatMap((each) => [each.upstream, ...each.user_agents.map((agent) => agent.upstream)]);
    const unknown = used.find((name) => !names.includes(name));
    if (unknown !== undefined) wrong(`there is no upstream ${unknown}; there are ${names.join(', ')}`, 'sites');
    refuseFaults(sites, issues);
  });

export type ProxyWant = z.output<typeof proxyParams>;
