/** Virtual servers, as the user types them. */
import { z } from 'zod';
import { granularityForm, granularityWords } from '../addresses.ts';
import { check } from './check.ts';
import { either, oneOf, socketAddress, text, vip, whole } from './fields.ts';
import { hostName, weight } from './host.ts';

const schedulers = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos'] as const;

const serviceBackend = z.strictObject({
  weight: weight.describe('Weight in this service'),
  port: whole(1, 65_535).optional().describe('Port of the real server; under direct routing and tunnels the port of the service'),
  upper_threshold: whole(0, 4_294_967_295).optional().describe('Connections above which it gets no new ones; 0: no limit'),
  lower_threshold: whole(0, 4_294_967_295).optional().describe('Connections below which it gets new ones again'),
});

const markedPort = z.strictObject({
  port: whole(1, 65_535).describe('Port'),
  protocol: oneOf(['tcp', 'udp']).default('tcp').describe('Transport protocol'),
});

export const service = z.strictObject({
  vip: vip().describe('Virtual address that clients connect to'),
  port: whole(1, 65_535).optional().describe('Port that clients connect to'),
  protocol: oneOf(['tcp', 'udp']).default('tcp').describe('Transport protocol'),
  fwmark: whole(1, 2_147_483_647).optional().describe('Firewall mark of one service over several `ports`'),
  ports: z
    .array(either([whole(1, 65_535), markedPort], 'a port, or { port, protocol }'))
    .min(1, { error: 'at least one port' })
    .optional()
    .describe('With fwmark: ports that clients connect to, as numbers (TCP) or { port, protocol }'),
  scheduler: oneOf(schedulers).describe('How connections are spread over the real servers'),
  scheduler_flags: z
    .array(oneOf(['sh-port', 'sh-fallback', 'mh-port', 'mh-fallback']))
    .default([])
    .describe('port: the hash is over the port too; fallback: another real server where the chosen one is out'),
  forward: oneOf(['dr', 'nat', 'tun'])
    .default('dr')
    .describe('How packets reach the real servers; dr: direct routing; nat: both ways through the director; tun: IP in IP'),
  routed: z
    .boolean({ error: 'true or false' })
    .default(false)
    .describe("The VIP lies outside of the directors' networks: a router sends it to the director that has it"),
  persistence: whole(1, 2_678_400, 'whole seconds from 1 to 2678400; without the key there is no persistence')
    .optional()
    .describe('Seconds that a client stays with its real server'),
  persistence_granularity: text(granularityForm, granularityWords).optional().describe('Clients of one network stay together'),
  one_packet: z.boolean({ error: 'true or false' }).default(false).describe('UDP: every packet is scheduled by itself'),
  quorum: whole(1, 1_000_000).default(1).describe('Weight of healthy real servers below which the sorry server answers'),
  hysteresis: whole(0, 1_000_000).optional().describe('Weight above the quorum before the real servers answer again'),
  backends: either([z.literal('all'), z.array(hostName), z.record(hostName, serviceBackend)], 'all, a list of names, or a mapping of names')
    .default('all')
    .describe('all, or a list of names, or names with their weight and port in this service'),
  check: check.default(() => check.parse({})).describe('Health check of the real servers; tcp unless said'),
  redirect: whole(1, 65_535).optional().describe('Port on which the real servers answer for VIP and port: they pass packets on to it'),
  sorry_server: socketAddress().optional().describe('Answers while too few real servers are left'),
});

export type ServiceShape = z.output<typeof service>;
