/** Hosts, groups and how they are reached, as the user types them. */
import { z } from 'zod';
import { address, addressRange, either, interfaceAddress, line, text, whole } from './fields.ts';

/** Names become files, shell words and ssh targets: labels of RFC 1123 fit everywhere. */
export const hostName = text(
  /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  'a host name of at most 63 small letters, digits and hyphens, without a hyphen at either end (RFC 1123)',
);

/** Tighter than the kernel's rule: these names stand in keepalived.conf and sysctl keys, where nothing can be quoted. */
export const interfaceName = text(
  /^(?!(?:all|default|lo)$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/,
  'an interface name of at most 15 letters, digits, ".", "_" and "-" (lo, all and default have a meaning of their own)',
);

/** As keepalived.conf has it. */
export const instanceName = text(/^[A-Za-z_][A-Za-z0-9_-]{0,30}$/, 'a name of at most 31 letters, digits, "_" and "-"');

const groupName = text(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'a group name of letters, digits, "_" and "-" that starts with a letter or "_"');

export const variables = z.record(z.string(), z.unknown());

export const ssh = z.strictObject({
  user: text(/^[A-Za-z_][A-Za-z0-9_.@-]{0,63}$/, 'a user name of letters, digits, ".", "_", "@" and "-" that starts with a letter or "_"')
    .optional()
    .describe('Who to log in as; root unless said'),
  port: whole(1, 65_535).optional().describe('Port of sshd; 22 unless said'),
  key: line('the path of a private key').optional().describe('Path of a private key; unless said, the agent, then the usual files'),
  sudo: z.boolean({ error: 'true or false' }).optional().describe('Become root with sudo; true unless the user is root'),
  timeout: whole(1, 600).optional().describe('Seconds to wait for a connection; 10 unless said'),
});

const common = {
  address: address().describe('Where ssh goes'),
  interfaces: z
    .record(
      interfaceName,
      either(
        [interfaceAddress(), z.array(interfaceAddress()).min(1, { error: 'at least one address' })],
        'an address with its prefix length, or a list of them',
      ),
    )
    .optional()
    .describe('Interfaces, each with its address and prefix length, or a list of them; unless said, the one of VRRP with `address`'),
  ssh: ssh.optional().describe('How this host is reached; outranks its groups and the cluster'),
  vars: variables.optional().describe("Values for the user's own playbooks; they outrank those of groups and cluster"),
};

export const weight = whole(0, 65_535).optional();

const priority = whole(1, 254, 'a whole number from 1 to 254 (255 is for a router that owns the address)');

export const director = z.strictObject({
  ...common,
  priority: either([priority, z.record(instanceName, priority)], 'a priority, or a mapping of instances')
    .optional()
    .describe('VRRP priority, or one for each instance; no two directors have the same'),
  dip: address().optional().describe("The director's address on the segment of the real servers (DIP); `address` unless said"),
});

export const backend = z.strictObject({
  ...common,
  rip: either(
    [address(), z.array(address()).min(1, { error: 'at least one address' }).max(2, { error: 'one address of each family' })],
    'an address, or one of each family',
  )
    .optional()
    .describe("The real server's address (RIP), or one of each family; unless said `address`, and of the other family the first beside it"),
  weight: weight.describe('Weight in every service that does not say otherwise; 1 unless said'),
});

export const client = z.strictObject({
  ...common,
  sources: z
    .array(addressRange())
    .min(1, { error: 'at least one address, or no sources at all' })
    .max(64, { error: 'at most 64 addresses and ranges' })
    .optional()
    .describe("Further addresses on the VIP's segment that checks may send from: with persistence, one address sees one backend"),
});

/** Hosts of one role by their names. */
export function hostsOf<Shape extends z.ZodType>(shape: Shape) {
  return z.record(hostName, shape, { error: 'a mapping of host names, such as web1: { address: 10.18.43.13 }' });
}

export const groups = z.record(
  groupName,
  z.strictObject({
    hosts: z.array(line('a pattern of host and group names')).optional().describe('Patterns as in --limit: names, globs, a:!b, a:&b'),
    ssh: ssh.optional().describe('How the hosts of the group are reached'),
    vars: variables.optional().describe('Values for all hosts of the group'),
  }),
);

export type SshShape = z.output<typeof ssh>;
