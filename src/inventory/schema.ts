/** The inventory as the user types it. */
import { z } from 'zod';
import { address, addressRange, interfaceAddress, oneOf, seconds, subnet, text, vip, whole } from './fields.ts';

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const hostName = text(label, 'a host name: small letters, digits and hyphens, at most 63, no hyphen at either end (RFC 1123)');
const groupName = text(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'a group name: letters, digits, "_" and "-", starting with a letter or "_"');
const nicName = text(/^(?!\.{1,2}$)[^\s/:\p{C}]{1,15}$/u, 'an interface name: 1 to 15 characters without space, "/" and ":"');
const account = text(
  /^[a-z_][a-z0-9_-]{0,31}$/,
  'an account name: small letters, digits, "_" and "-", at most 32, starting with a letter or "_"',
);
const line = (what: string) => text(/^[^\p{Cc}\p{Co}\p{Zl}\p{Zp}]+$/u, `${what}, on one line`);
const absolutePath = text(/^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._+-]+)+$/, 'an absolute path of letters, digits, ".", "_", "+" and "-"');
const variables = z.record(z.string(), z.unknown());

const ssh = z.strictObject({
  user: text(/^[A-Za-z_][A-Za-z0-9_.@-]{0,63}$/, 'a user name that starts with a letter')
    .optional()
    .describe('Who to log in as; root unless said'),
  port: whole(1, 65535).optional().describe('Port of sshd; 22 unless said'),
  key: line('the path of a private key').optional().describe('Private key; the agent and the usual files unless said'),
  sudo: z.boolean({ error: 'true or false' }).optional().describe('Become root with sudo; true unless the user is root'),
  timeout: whole(1, 600).optional().describe('Seconds to wait for a connection; 10 unless said'),
});

const common = {
  address: address().describe('Where ssh goes'),
  interfaces: z
    .record(nicName, interfaceAddress())
    .optional()
    .describe('Interface name and its address with prefix length; unless said, `address` on the heartbeat interface'),
  ssh: ssh.optional().describe('How this host is reached; goes before what its groups and the cluster say'),
  vars: variables.optional().describe("Free-form values for the user's own playbooks; they go before those of groups and cluster"),
};

const weight = whole(0, 65535).optional();
const director = z.strictObject({
  ...common,
  priority: whole(1, 254, 'a whole number from 1 to 254 (255 is for a router that owns the address itself)').describe(
    'VRRP priority; no two directors have the same',
  ),
  dip: address().optional().describe("The director's own address on the real servers' segment; `address` unless said"),
});
const backend = z.strictObject({
  ...common,
  rip: address().optional().describe("The real server's address; `address` unless said"),
  weight: weight.describe('Weight in every service that does not say otherwise; 1 unless said'),
});
const client = z.strictObject({
  ...common,
  sources: z
    .array(addressRange())
    .min(1, { error: 'at least one address, or leave sources out' })
    .optional()
    .describe("Further addresses on the VIP's segment that checks may send from: persistence hides the spread from a single one"),
});

const vrrp = z.strictObject({
  id: whole(1, 255).describe('virtual_router_id, unique on the segment; written once, never computed'),
  interface: nicName.describe('Interface that carries the heartbeat'),
  vip_interface: nicName.optional().describe('Interface that carries the VIPs; `interface` unless said'),
  mode: oneOf(['backup-nopreempt', 'master-backup'])
    .default('backup-nopreempt')
    .describe('backup-nopreempt: who holds the VIPs keeps them; master-backup: the highest priority takes them back'),
  advert: whole(1, 255, 'whole seconds from 1 to 255: VRRPv2 rounds fractions').default(1).describe('Seconds between adverts'),
  auth_pass: text(
    /^(?:[A-Za-z0-9_.:@%+=,/~^*-]{1,8}|\uE000.*\uE001)$/,
    '1 to 8 letters, digits or signs of _.:@%+=,/~^*- in quotes (VRRP sends 8, in clear), or !secret NAME',
  )
    .optional()
    .describe('Password of the adverts, or `!secret NAME`; no authentication unless said'),
  instance: text(/^[A-Za-z_][A-Za-z0-9_-]{0,30}$/, 'a name of at most 31 letters, digits, "_" and "-"')
    .default('VI_1')
    .describe('Name of the instance in keepalived.conf'),
});

const attempt = {
  timeout: seconds(0.1, 3600).default(3).describe('Seconds until a try counts as failed'),
  retry: whole(0, 100).default(3).describe('Further tries before the real server is taken out'),
  delay_before_retry: seconds(0.1, 3600).default(3).describe('Seconds between tries'),
};
const check = z.strictObject({
  tcp: z.strictObject(attempt).optional().describe('Connects to the port of the real server'),
  http: z
    .strictObject({
      ...attempt,
      path: text(/^\/[A-Za-z0-9._~%/?&=+,:;@-]*$/, 'a path that starts with "/", without spaces, quotes, "#" and "!"')
        .default('/')
        .describe('What is asked for'),
      host: text(/^[A-Za-z0-9.-]+(?::[0-9]{1,5})?$/, 'a host name, with a port if need be')
        .optional()
        .describe('Host header'),
      status: whole(100, 599).default(200).describe('The status that is expected'),
    })
    .optional()
    .describe('Asks for a page of the real server'),
  delay_loop: seconds(0.1, 3600).default(6).describe('Seconds from one check to the next'),
});

const serviceBackend = z.strictObject({
  weight: weight.describe('Weight in this service'),
  port: whole(1, 65535).optional().describe('Port of the real server; the same as the service under DR'),
});
const service = z.strictObject({
  vip: vip().describe('Virtual address that clients connect to'),
  port: whole(1, 65535).describe('Port that clients connect to'),
  protocol: oneOf(['tcp']).default('tcp').describe('Transport protocol'),
  scheduler: oneOf(['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos']).describe(
    'How connections are spread over the real servers',
  ),
  forward: oneOf(['dr']).default('dr').describe('How packets reach the real servers: direct routing'),
  persistence: whole(1, 2_678_400, 'seconds from 1 to 2678400; leave it out for no persistence')
    .optional()
    .describe('Seconds that a client stays with its real server'),
  backends: z
    .union([z.literal('all'), z.array(hostName), z.record(hostName, serviceBackend)])
    .default('all')
    .describe('all, or names, or names with a weight and port for this service'),
  check: check.default(() => check.parse({})).describe('Health check of the real servers; tcp unless said'),
  sorry_server: text(/^[0-9.]+:[0-9]{1,5}$/, 'ADDRESS:PORT, such as 127.0.0.1:80')
    .optional()
    .describe('Answers when every real server is down'),
  floor: text(/^(?:100|[1-9]?[0-9])%$/, 'a percentage such as 50%')
    .optional()
    .describe('Healthy weight below which nothing more is taken out'),
});

const nginx = z.strictObject({
  source: z
    .strictObject({
      version: text(/^\d{1,3}\.\d{1,3}\.\d{1,3}$/, 'a version of three numbers, such as 1.26.3').describe(
        'Version of nginx, 1.20.2 or newer',
      ),
      sha256: text(/^[0-9a-fA-F]{64}$/, 'the 64 hexadecimal digits of the tarball’s SHA-256').describe('SHA-256 of the tarball'),
      url: text(/^https?:\/\/[^\s\p{C}"'\\]+$/u, 'an http or https URL')
        .optional()
        .describe("Where the tarball is fetched from; nginx's own site unless said"),
      file: line('the path of a tarball').optional().describe('A tarball on this machine, relative to the inventory; instead of url'),
      configure: z
        .array(text(/^--[^\p{C}\p{Zl}\p{Zp}]+$/u, 'a flag that starts with --'))
        .default([])
        .describe('Flags of ./configure, without --prefix'),
      prefix: absolutePath.default('/usr/local/nginx').describe('Where it is installed'),
    })
    .optional()
    .describe('Build nginx from its source'),
  build: z
    .strictObject({ on: hostName.default('first').describe('first, each, or the name of a backend') })
    .default({ on: 'first' })
    .describe('Where it is compiled; the result is shipped to the other backends'),
  user: account.default('nginx').describe('Account of the workers'),
  group: account.default('nginx').describe('Group of the workers'),
  port: whole(1, 65535).optional().describe('Port that nginx listens on; that of the first service unless said'),
  nofile: whole(1024, 1_048_576).default(65_535).describe('Open files per worker'),
});

const group = z.strictObject({
  hosts: z.array(line('a pattern of host and group names')).optional().describe('Patterns as in --limit: names, globs, a:!b, a:&b'),
  vars: variables.optional().describe('Values for all hosts of the group'),
  ssh: ssh.optional().describe('How the hosts of the group are reached'),
});

const lab = z.strictObject({
  release: oneOf(['bookworm', 'trixie']).default('bookworm').describe("Debian release of the rehearsal's machines"),
  packages: z
    .array(text(/^[a-z0-9][a-z0-9+.-]+$/, 'the name of a Debian package'))
    .default([])
    .describe('Packages that the real hosts have already'),
  selinux: oneOf(['permissive']).optional().describe('Boot with a policy loaded'),
  memory: whole(128, 65_536).default(384).describe('Memory per machine, MiB'),
});

/** A whole inventory, before anything is compared with anything else. */
export const inventorySchema = z.strictObject({
  cluster: text(label, 'a name of small letters, digits and hyphens').describe('Name of the cluster'),
  network: subnet().optional().describe('Network of the hosts; gives the prefix length where a host says no interfaces (24 unless said)'),
  ssh: ssh.optional().describe('How all hosts are reached'),
  selinux: oneOf(['untouched', 'enforcing', 'permissive', 'disabled']).default('untouched').describe('State of SELinux'),
  firewall: oneOf(['untouched', 'managed', 'off'])
    .default('untouched')
    .describe('managed: what the cluster needs is added to the active firewall; off: it is stopped'),
  vrrp: vrrp.describe('The group of directors that hold the VIPs in turn'),
  services: z.array(service).min(1, { error: 'at least one service' }).describe('What clients connect to'),
  directors: z.record(hostName, director).describe('Hosts that run keepalived'),
  backends: z.record(hostName, backend).describe('Hosts that answer'),
  clients: z.record(hostName, client).optional().describe("Hosts on the VIP's segment to look from"),
  nginx: nginx.optional().describe('The web server of the backends'),
  groups: z.record(groupName, group).optional().describe('Further groups of hosts, or vars and ssh for directors, backends, clients'),
  vars: variables.optional().describe("Free-form values for the user's own playbooks"),
  lab: lab.default(() => lab.parse({})).describe('What the rehearsal machines are like'),
});

/** An inventory whose every value has the right form, defaults filled in. */
export type InventoryShape = z.output<typeof inventorySchema>;
export type HostShape = z.output<typeof director> | z.output<typeof backend> | z.output<typeof client>;
export type ServiceShape = InventoryShape['services'][number];
export type SshShape = z.output<typeof ssh>;
