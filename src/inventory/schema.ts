/** The inventory as the user types it: the form of every value, before any is compared with another. */
import { z } from 'zod';
import { sections } from './entries.ts';
import { oneOf, subnet, text, whole } from './fields.ts';
import { backend, client, director, groups, hostsOf, ssh, variables } from './host-schema.ts';
import { nginx } from './nginx-schema.ts';
import { service, vrrp } from './service-schema.ts';

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
  vrrp: vrrp.describe('The directors that hold the VIPs in turn'),
  services: z.array(service).min(1, { error: 'at least one service' }).describe('What clients connect to'),
  directors: hostsOf(director).describe('Hosts that run keepalived'),
  backends: hostsOf(backend).describe('Hosts that answer'),
  clients: hostsOf(client).optional().describe("Hosts on the VIP's segment to look from"),
  nginx: nginx.optional().describe('The web server of the backends'),
  groups: groups.optional().describe('Further groups of hosts; also ssh and vars of directors, backends and clients'),
  vars: variables.optional().describe("Values for the user's own playbooks"),
  lab: lab.default(() => lab.parse({})).describe('What the machines of the rehearsal are like'),
});

/** An inventory whose every value has the right form; defaults that depend on nothing else are filled in. */
export type InventoryShape = z.output<typeof inventorySchema>;
export type ServiceShape = InventoryShape['services'][number];

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

/** The parts of a JSON Schema that ranges of hosts change. */
interface SchemaPart {
  pattern?: string;
  readonly propertyNames?: SchemaPart;
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly additionalProperties?: SchemaPart;
}

/** Names and addresses may hold a range, which is told apart before the schema above is asked. */
function allowRanges({ propertyNames, additionalProperties: host }: SchemaPart): void {
  const { address, rip, dip, interfaces } = host?.properties ?? {};
  for (const part of [propertyNames, address, rip, dip, interfaces?.additionalProperties]) {
    if (part?.pattern !== undefined) part.pattern = `(?:${part.pattern})|^[^\\[\\]]*\\[[^\\[\\]]+\\][^\\[\\]]*$`;
  }
}
