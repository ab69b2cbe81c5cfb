/**
 * Parameters of the task `keepalived`, in the words of the model. What a keepalived.conf cannot carry (a quote in a name, a `$` that
 * would be a substitution) is refused here, so that no value can become syntax; and so is what keepalived would take and change in silence.
 */
import { z } from 'zod';
import { type ServiceParams, virtualServer } from '../ipvs/virtual-server-params.ts';
import { address, distinct, label, saidOf } from './values.ts';
import { vrrp } from './vrrp-params.ts';

const unicast = z.record(
  label,
  z.strictObject({
    own: address.describe('Address from which this director sends adverts'),
    peers: z.array(address).min(1, 'at least one peer: without any keepalived falls back to multicast').describe('The other directors'),
  }),
);

export const services = z
  .array(virtualServer)
  .refine((all) => distinct(all.map(serviceName)), 'a service (VIP, port and protocol, or mark) is listed twice')
  .describe('The virtual servers; none where nginx on the directors does all');

export const keepalivedParams = z
  .strictObject({
    router_id: label.describe('Label of this director in logs and mails; different on each'),
    vrrp,
    priorities: z
      .record(label, z.int().min(1).max(254))
      .describe('VRRP priority of this director by the name of the instance; keep directors 50 apart'),
    unicast: unicast.optional().describe('By the name of each unicast instance: this director and the others'),
    services,
    version: z
      .string()
      .regex(/^\d+\.\d+\.\d+$/, 'a version such as 2.2.7')
      .optional()
      .describe(
        'Version that an earlier step installs, where that one chooses: built from source, or pinned. Unsaid, what is installed or what the package manager would install',
      ),
    sync: z.boolean().optional().describe('Copies the state of connections to the other director (8848/udp)'),
  })
  .superRefine(({ vrrp: { instances, scripts, notify, alarm }, priorities, unicast: peers = {}, services: all }, context) => {
    const complain = (path: readonly string[], message: string) => context.addIssue({ code: 'custom', path: [...path], message });
    for (const { instance, unicast: wanted, family } of instances) {
      if (saidOf(priorities, instance) === undefined) complain(['priorities', instance], `the priority in ${instance} is missing`);
      const own = saidOf(peers, instance);
      if (wanted && !own) complain(['unicast', instance], `${instance} is unicast: its own address and its peers are missing`);
      if (own && [own.own, ...own.peers].some((each) => each.includes(':') !== (family === 'ipv6')))
        complain(['unicast', instance], `addresses of ${instance} are not all ${family}`);
    }
    const files = [...scripts.map(({ file }) => file), ...all.flatMap(({ check }) => check.script ?? []), notify ?? [], alarm ?? []].flat();
    const names = [...new Set(files)].map((file) => file.slice(file.lastIndexOf('/') + 1));
    if (!distinct(names)) complain(['vrrp'], `two scripts have one name, ${names.find((name, index) => names.indexOf(name) < index)}`);
  });

export type KeepalivedWant = z.output<typeof keepalivedParams>;

/** What a virtual server is told apart by: `10.0.0.1:80`, `[fd00::1]:80`, `10.0.0.1:53/udp`, `mark:1`. */
export function serviceName({ vip, port, protocol, fwmark }: Pick<ServiceParams, 'vip' | 'port' | 'protocol' | 'fwmark'>): string {
  if (fwmark) return `mark:${fwmark.mark}`;
  return `${vip.includes(':') ? `[${vip}]` : vip}:${port}${protocol === 'udp' ? '/udp' : ''}`;
}

/** A virtual server for the examples of tasks that take some. */
export const exampleService: ServiceParams = {
  vip: '10.18.43.30',
  port: 80,
  protocol: 'tcp',
  scheduler: 'rr',
  schedulerFlags: [],
  forward: 'dr',
  persistence: 50,
  onePacket: false,
  quorum: 1,
  check: { kind: 'tcp', timeout: 3, retry: 3, delayBeforeRetry: 3, delayLoop: 6 },
  realServers: [
    { host: 'web1', rip: '10.18.43.13', port: 80, weight: 1 },
    { host: 'web2', rip: '10.18.43.14', port: 80, weight: 1 },
  ],
};

/** The VRRP instance of the example. */
export const exampleVrrp: KeepalivedWant['vrrp'] = {
  instances: [
    {
      instance: 'lvs',
      id: 51,
      family: 'ipv4',
      version: 2,
      interface: 'eth0',
      vipInterface: 'eth1',
      mode: 'backup-nopreempt',
      advert: 1,
      authPass: '1111',
      unicast: false,
      addresses: [{ address: '10.18.43.30', prefix: 32, interface: 'eth1' }],
      trackInterfaces: ['eth1'],
      trackProcesses: [],
      trackScripts: [],
    },
  ],
  syncGroups: [],
  scripts: [],
};
