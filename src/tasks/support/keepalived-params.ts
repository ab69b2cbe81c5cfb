/**
 * Parameters of the task `keepalived`, in the words of the model. What a keepalived.conf cannot carry (a quote in a name, a `$` that
 * would be a substitution) is refused here, so that no value can become syntax.
 */
import { z } from 'zod';
import { text } from './params.ts';

const word = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'letters, digits, "_", "." and "-", starting with a letter or digit');
const nic = z
  .string()
  .max(15)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/, 'the name of a network interface, such as eth0');
const port = z.int().min(1).max(65535);
const seconds = z.number().min(0.1).max(3600);
const address = z.ipv4({ error: 'an IPv4 address' });
/** A secret slot, or at most 8 characters, which is all that VRRP carries; a quote or backslash cannot be written in keepalived.conf. */
const password = z
  .string()
  .regex(
    /^(\uE000secret [\w.-]+\uE001|[!#-[\]-~]{1,8})$/,
    'a secret, or 1 to 8 printable characters without blanks, quotes and backslashes',
  );
const urlPart = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9_.~:/?&=%+,;@()*-]+$/, 'characters of a URL, others as %XX');

const check = z
  .strictObject({
    kind: z.enum(['tcp', 'http']).describe('tcp: the port answers; http: the page is there'),
    timeout: seconds.describe('Seconds until a connection counts as failed'),
    retry: z.int().min(0).max(100).describe('Further tries before a real server is taken out'),
    delayBeforeRetry: seconds.describe('Seconds between tries'),
    delayLoop: seconds.describe('Seconds between checks'),
    path: urlPart.startsWith('/').optional().describe('http: path that is fetched; / unless said'),
    hostHeader: urlPart.optional().describe('http: the Host header that is sent'),
    status: z.int().min(100).max(599).optional().describe('http: the status that is expected; 200 unless said'),
  })
  .describe('Health check of the real servers');

const realServer = z.strictObject({
  host: text.describe('Name of the backend in the inventory'),
  rip: address.describe('Address of the real server (RIP)'),
  port: port.describe('Port of the real server'),
  weight: z.int().min(0).max(65535).describe('Share of the connections'),
});

const service = z
  .strictObject({
    vip: address.describe('Address that clients connect to'),
    port: port.describe('Port that clients connect to'),
    protocol: z.literal('tcp').describe('Transport protocol'),
    scheduler: z
      .enum(['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos'])
      .describe('IPVS scheduler'),
    forward: z.enum(['dr', 'nat', 'tun']).describe('How packets reach the real servers'),
    persistence: z.int().min(1).max(2678400).optional().describe('Seconds that a client stays with its real server; absent: not at all'),
    check,
    realServers: z.array(realServer).min(1).describe('The real servers'),
    sorryServer: z
      .strictObject({ address: address.describe('Address of the page'), port: port.describe('Port of the page') })
      .optional()
      .describe('Serves the page that is shown when no real server is left'),
  })
  .refine(({ realServers }) => realServers.some(({ weight }) => weight > 0), {
    error: 'every real server has weight 0: give at least one a weight of 1 or more',
    path: ['realServers'],
  })
  .refine((wanted) => wanted.forward === 'nat' || wanted.realServers.every((server) => server.port === wanted.port), {
    error: 'with dr and tun packets arrive unchanged: every real server listens on the port of the VIP',
    path: ['realServers'],
  })
  .refine((wanted) => wanted.forward === 'nat' || (wanted.sorryServer?.port ?? wanted.port) === wanted.port, {
    error: 'with dr and tun packets arrive unchanged: the sorry server listens on the port of the VIP',
    path: ['sorryServer', 'port'],
  })
  .refine(({ realServers }) => distinct(realServers.map(({ rip, port }) => `${rip}:${port}`)), {
    error: 'a real server is listed twice',
    path: ['realServers'],
  });

const vrrp = z
  .strictObject({
    instance: word.describe('Name of the VRRP instance'),
    id: z.int().min(1).max(255).describe('virtual_router_id, unique on the network segment'),
    interface: nic.describe('Interface that carries the adverts'),
    vipInterface: nic.describe('Interface that carries the VIPs'),
    mode: z
      .enum(['backup-nopreempt', 'master-backup'])
      .describe('Whether the director of higher priority takes the VIPs back when it returns'),
    advert: z.int().min(1).max(255).describe('Seconds between adverts, whole ones in VRRP version 2'),
    authPass: password.optional().describe('Password of the adverts; it travels in clear'),
  })
  .describe('The VRRP instance that owns the VIPs');

export const keepalivedParams = z.strictObject({
  router_id: word.describe('Label of this director in logs and mails; different on each'),
  priority: z.int().min(1).max(254).describe('VRRP priority of this director; keep directors 50 apart'),
  vrrp,
  services: z
    .array(service)
    .min(1)
    .refine((all) => distinct(all.map(({ vip, port }) => `${vip}:${port}`)), 'a service (VIP and port) is listed twice')
    .describe('The virtual servers; the VIP of the first is the one that adverts name'),
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, 'a version such as 2.2.7')
    .optional()
    .describe(
      'Version that an earlier step installs, where that one chooses: built from source, or pinned. Unsaid, what is installed or what the package manager would install',
    ),
  sync: z.boolean().optional().describe('Copies the state of connections to the other director (8848/udp)'),
});

export type KeepalivedWant = z.output<typeof keepalivedParams>;

/** A virtual server for the examples of tasks that take some. */
export const exampleService: KeepalivedWant['services'][number] = {
  vip: '10.18.43.30',
  port: 80,
  protocol: 'tcp',
  scheduler: 'rr',
  forward: 'dr',
  persistence: 50,
  check: { kind: 'tcp', timeout: 3, retry: 3, delayBeforeRetry: 3, delayLoop: 6 },
  realServers: [
    { host: 'web1', rip: '10.18.43.13', port: 80, weight: 1 },
    { host: 'web2', rip: '10.18.43.14', port: 80, weight: 1 },
  ],
};

function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
