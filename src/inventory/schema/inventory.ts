/** The inventory as the user types it: the form of every value, before any is compared with another. */
import { z } from 'zod';
import { sections } from '../hosts/entries.ts';
import { interfaceAddress, line, oneOf, subnet, text, whole } from './fields.ts';
import { backend, client, director, groups, hostsOf, interfaceName, ssh, variables } from './host.ts';
import { apache, nginx, programSource } from './nginx.ts';
import { proxy } from './proxy.ts';
import { service } from './service.ts';
import { vrrp } from './vrrp.ts';

const yes = () => z.boolean({ error: 'true or false' });

const staticDirectors = z.strictObject({
  interface: interfaceName.describe('Interface that carries the VIPs'),
  check_interval: whole(1, 3600).optional().describe('Seconds between checks of the real servers; unless said, nothing looks'),
});

const nat = z.strictObject({
  gateway: interfaceAddress().describe(
    "The directors' common address on the real servers' segment, with its prefix length: replies go there",
  ),
  interface: interfaceName.describe("The directors' interface on that segment"),
  replies: oneOf(['services', 'all'])
    .default('services')
    .describe('Which packets of the real servers go there: replies of the services alone, or all that leaves the segment'),
});

const system = z.strictObject({
  tuning: yes().default(false).describe('Kernel parameters for busy directors and backends'),
  hostnames: yes().default(false).describe('Each host is named as here'),
  hosts_file: yes().default(false).describe('Each host knows the others by name, in /etc/hosts'),
  conn_tab_bits: whole(8, 27).optional().describe("Size of the directors' connection table, as a power of two; from the next reboot on"),
});

// No command: whoever writes an inventory must not be able to run one here.
const secrets = z.strictObject({
  file: line('the path of an encrypted file').describe(
    'File with values of secrets, encrypted with age or by ansible-vault; relative to the inventory',
  ),
  identity: line('the path of an age identity')
    .optional()
    .describe('Path of the age identity that opens it; ~/.config/lvsctl/age.key unless said, and LVSCTL_AGE_IDENTITY outranks both'),
});

export type SecretsShape = z.output<typeof secrets>;

const lab = z.strictObject({
  release: oneOf(['bookworm', 'trixie']).default('bookworm').describe("Debian release of the rehearsal's machines"),
  packages: z
    .array(text(/^[a-z0-9][a-z0-9+.-]+$/, 'the name of a Debian package'))
    .default([])
    .describe('Packages that the real hosts have already'),
  selinux: oneOf(['permissive']).optional().describe('Boot with a policy loaded, in this mode'),
  memory: whole(128, 65_536).default(384).describe('Memory per machine, MiB'),
});

export const inventorySchema = z.strictObject({
  cluster: text(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'a name of at most 63 small letters, digits and hyphens').describe(
    'Name of the cluster',
  ),
  network: subnet().optional().describe('Network of the hosts: gives the prefix length where a host says no interfaces, 24 unless said'),
  ssh: ssh.optional().describe('How all hosts are reached'),
  selinux: oneOf(['untouched', 'enforcing', 'permissive', 'disabled']).default('untouched').describe('Mode of SELinux on all hosts'),
  firewall: oneOf(['untouched', 'managed', 'off'])
    .default('untouched')
    .describe('managed: adds what the cluster needs to the firewall that is active; off: stops it'),
  vrrp: vrrp.optional().describe('The directors hold the VIPs in turn, with keepalived'),
  static: staticDirectors.optional().describe('Instead of vrrp: directors with ipvsadm alone, whose VIPs never move'),
  services: z.array(service).min(1, { error: 'at least one service' }).optional().describe('What clients connect to (IPVS)'),
  proxy: proxy.optional().describe('What clients connect to, passed on by nginx on the directors (layer 7)'),
  nat: nat.optional().describe('The way back through the directors, for services with forward: nat'),
  sync: yes().default(false).describe('The state of connections is copied to the other directors, by multicast on 8848/udp'),
  directors: hostsOf(director).describe('Hosts that run keepalived'),
  backends: hostsOf(backend).describe('Hosts that answer'),
  clients: hostsOf(client).optional().describe("Hosts on the VIP's segment to look from"),
  nginx: nginx.optional().describe('The web server of the backends'),
  apache: apache.optional().describe("Instead of nginx: the distribution's Apache"),
  keepalived: z
    .strictObject({ source: programSource.describe('What is built') })
    .optional()
    .describe('Build keepalived from its source'),
  ipvsadm: z
    .strictObject({ source: programSource.describe('What is built') })
    .optional()
    .describe('Build ipvsadm from its source'),
  packages: oneOf(['online', 'offline'])
    .default('online')
    .describe('offline: packages are fetched once, with all they depend on, and shipped to the other hosts'),
  system: system.default(() => system.parse({})).describe('How the hosts are set up beside the services'),
  secrets: secrets.optional().describe('Where values for `!secret NAME` lie, unless the environment has them'),
  groups: groups.optional().describe('Further groups of hosts; also ssh and vars of directors, backends and clients'),
  vars: variables.optional().describe("Values for the user's own playbooks"),
  lab: lab.default(() => lab.parse({})).describe('What the machines of the rehearsal are like'),
});

/** An inventory whose every value has the right form; defaults that depend on nothing else are filled in. */
export type InventoryShape = z.output<typeof inventorySchema>;

/** The inventory's JSON Schema, for completion and checks in editors. */
export function inventoryJsonSchema(): object {
  const schema = z.toJSONSchema(inventorySchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      // An editor sees `!secret NAME` as the text NAME, and not every editor reads patterns as Unicode.
      if (/\\uE000|\\p\{/.test(jsonSchema.pattern ?? '')) delete jsonSchema.pattern;
    },
  });
  for (const section of sections) allowRanges((schema.properties?.[section] as SchemaPart | undefined) ?? {});
  return { title: 'lvsctl inventory', ...schema };
}

/** The schema itself, and the alternatives that it has. */
function branches(part: SchemaPart | undefined): readonly SchemaPart[] {
  return part === undefined ? [] : [part, ...(part.anyOf ?? [])];
}

/** The parts of a JSON Schema that ranges of hosts change. */
interface SchemaPart {
  pattern?: string;
  readonly anyOf?: readonly SchemaPart[];
  readonly propertyNames?: SchemaPart;
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly additionalProperties?: SchemaPart;
}

/** Names and addresses may hold a range, which is told apart before the schema above is asked. */
function allowRanges({ propertyNames, additionalProperties: host }: SchemaPart): void {
  const { address, rip, dip, interfaces } = host?.properties ?? {};
  for (const part of [propertyNames, address, rip, dip, interfaces?.additionalProperties].flatMap(branches)) {
    if (part.pattern !== undefined) part.pattern = `(?:${part.pattern})|^[^\\[\\]]*\\[[^\\[\\]]+\\][^\\[\\]]*$`;
  }
}
