/** nginx on the directors (layer 7), as the user types it. */
import { z } from 'zod';
import { either, oneOf, text, vip, whole } from './fields.ts';
import { hostName, weight } from './host.ts';

const server = z.strictObject({
  weight: weight.describe('Share of the requests'),
  port: whole(1, 65_535).optional().describe('Port of the backend; that of the site unless said'),
  max_fails: whole(0, 1000).optional().describe('Failures within fail_timeout after which it is left out'),
  fail_timeout: whole(1, 86_400).optional().describe('Seconds in which failures are counted, and for which it is left out'),
  backup: z.boolean({ error: 'true or false' }).default(false).describe('Asked only while all others are out'),
});

const backends = either([z.literal('all'), z.array(hostName), z.record(hostName, server)], 'all, a list of names, or a mapping of names')
  .default('all')
  .describe('all, or a list of names, or names with their weight and port');

const method = oneOf(['round_robin', 'least_conn', 'ip_hash']).default('round_robin').describe('How requests are spread');
const size = text(/^[1-9][0-9]{0,8}[kmKM]?$/, 'a size such as 200m');

const byUserAgent = z.strictObject({
  match: text(
    /^[A-Za-z0-9 ._()|*+?^$/;:-]{1,200}$/,
    'a regular expression of letters, digits, blanks and signs of ._()|*+?^$/;:-',
  ).describe('Regular expression that the User-Agent matches, whatever the case'),
  backends,
  port: whole(1, 65_535).optional().describe('Port of these backends; that of the site unless said'),
});

export const site = z.strictObject({
  vip: vip().describe('Virtual address that clients connect to'),
  port: whole(1, 65_535).describe('Port that clients connect to'),
  routed: z
    .boolean({ error: 'true or false' })
    .default(false)
    .describe("The VIP lies outside of the directors' networks: a router sends it to the director that has it"),
  server_name: text(/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'a host name')
    .optional()
    .describe('Name of the site; any unless said'),
  backends,
  backend_port: whole(1, 65_535).optional().describe('Port of the backends; that of the site unless said'),
  method,
  max_fails: whole(0, 1000).default(3).describe('Failures within fail_timeout after which a backend is left out'),
  fail_timeout: whole(1, 86_400).default(10).describe('Seconds in which failures are counted, and for which a backend is left out'),
  by_user_agent: z.array(byUserAgent).default([]).describe('Other backends for browsers that match; the first match counts'),
  client_max_body_size: size.optional().describe('Largest upload'),
  access_log: text(/^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9_.+-]+)+$/, 'an absolute path of letters, digits, "_", ".", "+" and "-"')
    .optional()
    .describe('Log of this site; its folder is made'),
  connect_timeout: whole(1, 75).default(5).describe('Seconds to wait for a connection to a backend'),
  send_timeout: whole(1, 86_400).default(60).describe('Seconds between two writes to a backend'),
  read_timeout: whole(1, 86_400).default(60).describe('Seconds between two reads from a backend'),
  buffer_size: size.optional().describe('Buffer for the head of an answer'),
  buffers: z
    .strictObject({ number: whole(2, 1024).describe('How many'), size: size.describe('Size of each') })
    .optional()
    .describe('Buffers for the body of an answer'),
});

export const proxy = z.strictObject({
  sites: z.array(site).min(1, { error: 'at least one site' }).describe('What nginx on the directors passes on, and to whom'),
});

export type SiteShape = z.output<typeof site>;
