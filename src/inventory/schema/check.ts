/** Health checks of real servers, as the user types them. */
import { z } from 'zod';
import { line, oneOf, seconds, text, whole } from './fields.ts';
import { argumentWord } from './vrrp.ts';

const attempt = {
  timeout: seconds(0.1, 3600).default(3).describe('Seconds after which a try has failed'),
  retry: whole(0, 100).default(3).describe('Further tries before the real server is taken out'),
  delay_before_retry: seconds(0.1, 3600).default(3).describe('Seconds between tries'),
  port: whole(1, 65_535).optional().describe("Port that is asked; the real server's unless said"),
};

const path = text(/^\/[A-Za-z0-9._~%/?&=+,:;@-]*$/, 'a path that starts with "/", without spaces, quotes, "#" and "!"');
const hostHeader = text(/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?$/, 'a host name, with a port if need be');

const http = z.strictObject({
  ...attempt,
  path: path.default('/').describe('What is asked for'),
  host: hostHeader.optional().describe('Host header'),
  status: whole(100, 599).default(200).describe('Status of a right answer'),
  regex: text(/^[\x20-\x7e]{1,200}$/, 'a regular expression of at most 200 printable ASCII characters')
    .optional()
    .describe('Regular expression that the answer must match'),
});

const https = z.strictObject({
  ...http.shape,
  sni: z.boolean({ error: 'true or false' }).default(true).describe('The Host header is asked for in the handshake too (SNI)'),
});

const misc = z.strictObject({
  ...attempt,
  script: line('the path of a script').describe('Script in the folder of the inventory, relative to it; it is shipped to the directors'),
  arguments: z.array(argumentWord).default(['{rip}']).describe("Its arguments; {rip} and {port} stand for the real server's"),
});

const dns = z.strictObject({
  ...attempt,
  type: oneOf(['A', 'NS', 'CNAME', 'SOA', 'MX', 'TXT', 'AAAA']).default('SOA').describe('Type of the question'),
  name: text(/^(?:\.|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?)$/, 'a domain name')
    .default('.')
    .describe('Name that is asked for'),
});

const udp = z.strictObject({
  ...attempt,
  payload: text(/^(?:[0-9A-Fa-f]{2}){1,512}$/, 'pairs of hexadecimal digits')
    .optional()
    .describe('Bytes that are sent'),
  require_reply: z.boolean({ error: 'true or false' }).default(false).describe('Only an answer is right; unless said, no error is right'),
});

export const check = z.strictObject({
  tcp: z.strictObject(attempt).optional().describe("Connects to the real server's port"),
  http: http.optional().describe('Asks the real server for a page'),
  https: https.optional().describe('Asks the real server for a page over TLS'),
  misc: misc.optional().describe('Runs a script on the directors: exit 0 is right'),
  dns: dns.optional().describe('Asks the real server for a name'),
  udp: udp.optional().describe('Sends a packet: a refusal is wrong'),
  ping: z.strictObject(attempt).omit({ port: true }).optional().describe('Asks for an echo'),
  delay_loop: seconds(0.1, 3600).default(6).describe('Seconds from one check to the next'),
});

export type CheckShape = z.output<typeof check>;

export const checkKinds = ['tcp', 'http', 'https', 'misc', 'dns', 'udp', 'ping'] as const;
