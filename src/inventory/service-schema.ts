/** VRRP and virtual servers, as the user types them. Text that goes into keepalived.conf is narrow: nothing can be quoted there. */
import { z } from 'zod';
import { oneOf, seconds, socketAddress, text, vip, whole } from './fields.ts';
import { hostName, interfaceName, weight } from './host-schema.ts';

/** What VRRP carries and keepalived.conf can hold. */
const password = '[A-Za-z0-9_.:@%+=,/^*-]{1,8}';
const passwordWords = '1 to 8 letters, digits and signs of _.:@%+=,/^*-';
export const passwordRule = { pattern: new RegExp(`^${password}$`), words: passwordWords };

export const vrrp = z.strictObject({
  id: whole(1, 255).describe('virtual_router_id, unique on the segment; written once, never computed'),
  interface: interfaceName.describe('Interface that carries the heartbeat'),
  vip_interface: interfaceName.optional().describe('Interface that carries the VIPs; `interface` unless said'),
  mode: oneOf(['backup-nopreempt', 'master-backup'])
    .default('backup-nopreempt')
    .describe('backup-nopreempt: who has the VIPs keeps them; master-backup: the highest priority takes them back'),
  advert: whole(1, 255, 'whole seconds from 1 to 255 (VRRPv2 rounds fractions)').default(1).describe('Seconds between adverts'),
  auth_pass: text(new RegExp(`^(?:${password}|\uE000.*\uE001)$`), `${passwordWords} in quotes, or !secret NAME`)
    .optional()
    .describe('Password of the adverts, or `!secret NAME`; unless said, none'),
  instance: text(/^[A-Za-z_][A-Za-z0-9_-]{0,30}$/, 'a name of at most 31 letters, digits, "_" and "-"')
    .default('VI_1')
    .describe('Name of the instance in keepalived.conf'),
});

const attempt = {
  timeout: seconds(0.1, 3600).default(3).describe('Seconds after which a try has failed'),
  retry: whole(0, 100).default(3).describe('Further tries before the real server is taken out'),
  delay_before_retry: seconds(0.1, 3600).default(3).describe('Seconds between tries'),
};

const httpCheck = z.strictObject({
  ...attempt,
  path: text(/^\/[A-Za-z0-9._~%/?&=+,:;@-]*$/, 'a path that starts with "/", without spaces, quotes, "#" and "!"')
    .default('/')
    .describe('What is asked for'),
  host: text(/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?$/, 'a host name, with a port if need be')
    .optional()
    .describe('Host header'),
  status: whole(100, 599).default(200).describe('Status of a right answer'),
});

const check = z.strictObject({
  tcp: z.strictObject(attempt).optional().describe("Connects to the real server's port"),
  http: httpCheck.optional().describe('Asks the real server for a page'),
  delay_loop: seconds(0.1, 3600).default(6).describe('Seconds from one check to the next'),
});

const schedulers = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos'] as const;

const serviceBackend = z.strictObject({
  weight: weight.describe('Weight in this service'),
  port: whole(1, 65_535).optional().describe('Port of the real server; under direct routing the port of the service'),
});

export const service = z.strictObject({
  vip: vip().describe('Virtual address that clients connect to'),
  port: whole(1, 65_535).describe('Port that clients connect to'),
  protocol: oneOf(['tcp']).default('tcp').describe('Transport protocol'),
  scheduler: oneOf(schedulers).describe('How connections are spread over the real servers'),
  forward: oneOf(['dr']).default('dr').describe('How packets reach the real servers; dr: direct routing'),
  persistence: whole(1, 2_678_400, 'whole seconds from 1 to 2678400; without the key there is no persistence')
    .optional()
    .describe('Seconds that a client stays with its real server'),
  backends: z
    .union([z.literal('all'), z.array(hostName), z.record(hostName, serviceBackend)])
    .default('all')
    .describe('all, or a list of names, or names with their weight and port in this service'),
  check: check.default(() => check.parse({})).describe('Health check of the real servers; tcp unless said'),
  sorry_server: socketAddress().optional().describe('Answers while every real server is down'),
  floor: text(/^(?:100|[1-9]?[0-9])%$/, 'a percentage such as 50%')
    .optional()
    .describe('Healthy weight below which nothing more is taken out'),
});
