/** Virtual servers as parameters of tasks, in the words of the model. */
import { z } from 'zod';
import { text } from './params.ts';

const address = z.union([z.ipv4(), z.ipv6()], { error: 'an IPv4 or IPv6 address' });
const port = z.int().min(1).max(65_535);
const connections = z.int().min(1).max(4_294_967_295);
const seconds = z.number().min(0.1).max(3600);

const check = z.strictObject({
  kind: z.enum(['tcp', 'http', 'https', 'misc', 'dns', 'udp', 'ping']).describe('What is asked'),
  timeout: seconds.describe('Seconds after which a try has failed'),
  retry: z.int().min(0).max(100).describe('Further tries before a real server is taken out'),
  delayBeforeRetry: seconds.describe('Seconds between tries'),
  delayLoop: seconds.describe('Seconds between checks'),
  port: port.optional().describe("Port that is asked; the real server's unless said"),
  path: text
    .regex(/^\/\S*$/)
    .optional()
    .describe('http, https: what is asked for'),
  hostHeader: text
    .regex(/^[A-Za-z0-9.:-]+$/)
    .optional()
    .describe('http, https: Host header'),
  status: z.int().min(100).max(599).optional().describe('http, https: status of a right answer'),
  regex: text
    .regex(/^[^\n]+$/)
    .optional()
    .describe('http, https: regular expression (PCRE) that the answer must match (a line of it, where keepalived does not check)'),
  sni: z.boolean().optional().describe('https: the Host header is asked for in the handshake too'),
  script: text
    .regex(/^[^\n]+$/)
    .optional()
    .describe('misc: path of the script on the control machine'),
  arguments: z.array(text).optional().describe("misc: its arguments; {rip} and {port} stand for the real server's"),
  type: text.optional().describe('dns: type of the question'),
  name: text.optional().describe('dns: name that is asked for'),
  payload: text.optional().describe('udp: hexadecimal bytes that are sent'),
  requireReply: z.boolean().optional().describe('udp: only an answer is right'),
});

const realServer = z.strictObject({
  host: text.describe('Name of the backend in the inventory'),
  rip: address.describe('Address of the real server (RIP)'),
  port: port.describe('Port of the real server'),
  weight: z.int().min(0).max(65_535).describe('Share of the connections'),
  upperThreshold: connections.optional().describe('Connections above which it gets no new ones'),
  lowerThreshold: connections.optional().describe('Connections below which it gets new ones again'),
});

const mark = z.strictObject({
  mark: z.int().min(1).max(2_147_483_647).describe('The firewall mark'),
  ports: z
    .array(z.strictObject({ port: port.describe('Port'), protocol: z.enum(['tcp', 'udp']).describe('Transport protocol') }))
    .min(1)
    .describe('Ports that clients connect to'),
});

export const virtualServer = z.strictObject({
  vip: address.describe('Address that clients connect to'),
  port: port.describe('Port that clients connect to'),
  protocol: z.enum(['tcp', 'udp']).describe('Transport protocol'),
  fwmark: mark.optional().describe('The virtual server is a firewall mark, not an address and a port'),
  scheduler: z.enum(['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos']).describe('Scheduler'),
  schedulerFlags: z
    .array(z.string().regex(/^(sh|mh)-(port|fallback)$/, 'sh-port, sh-fallback, mh-port or mh-fallback'))
    .default([])
    .describe('Flags of the scheduler'),
  forward: z.enum(['dr', 'nat', 'tun']).describe('How packets reach the real servers'),
  persistence: z.int().min(1).max(2_678_400).optional().describe('Seconds that a client stays with its real server'),
  persistenceGranularity: z
    .string()
    .regex(/^[0-9.]{1,15}$/, 'a netmask such as 255.255.255.0, or for IPv6 a prefix length')
    .optional()
    .describe('Clients of one network stay together'),
  onePacket: z.boolean().default(false).describe('UDP: every packet is scheduled by itself'),
  quorum: z.int().min(1).default(1).describe('Weight of healthy real servers below which the sorry server answers'),
  hysteresis: z.int().min(0).optional().describe('Weight above the quorum before the real servers answer again'),
  check: check.describe('Health check of the real servers'),
  realServers: z.array(realServer).describe('The real servers'),
  sorryServer: z
    .strictObject({ address: address.describe('Address'), port: port.describe('Port') })
    .optional()
    .describe('Answers while too few real servers are left'),
  redirect: port.optional().describe('Port of their own to which the real servers pass packets on'),
});

type Frozen<Value> = Value extends object ? { readonly [Key in keyof Value]: Frozen<Value[Key]> } : Value;

export type WantedVirtualServer = Frozen<z.output<typeof virtualServer>>;

/** For the examples of tasks that take some. */
export const exampleVirtualServer: z.output<typeof virtualServer> = {
  vip: '10.18.43.30',
  port: 80,
  protocol: 'tcp',
  scheduler: 'wlc',
  schedulerFlags: [],
  forward: 'dr',
  onePacket: false,
  quorum: 1,
  check: { kind: 'http', timeout: 2, retry: 1, delayBeforeRetry: 1, delayLoop: 2, path: '/', status: 200 },
  realServers: [
    { host: 'web1', rip: '10.18.43.13', port: 80, weight: 2 },
    { host: 'web2', rip: '10.18.43.14', port: 80, weight: 1 },
  ],
  sorryServer: { address: '127.0.0.1', port: 80 },
};
