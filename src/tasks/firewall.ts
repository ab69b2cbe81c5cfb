/** What the cluster needs of the firewall that is active. It is never started; it is stopped only where the inventory says `off`. */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, refuse, sh } from '../task.ts';
import {
  type FirewallService,
  firewallOff,
  firewallServicesProbe,
  firewallUnits,
  parseFirewallServices,
} from './support/firewall-services.ts';
import { type Admission, type FirewalldSeen, firewalldProbe, parseFirewalld, zonesOf } from './support/firewalld.ts';
import { firewalldBefore } from './support/firewalld-before.ts';
import { firewalldChanges } from './support/firewalld-changes.ts';
import { text } from './support/params.ts';

const service = z.strictObject({
  vip: z.ipv4().describe('Virtual address.'),
  port: z.number().int().min(1).max(65535).describe('Port.'),
  protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Transport protocol.'),
  forward: z
    .enum(['dr', 'nat', 'tun'])
    .default('dr')
    .describe('Forwarding method: with dr and tun a director sees one half of a connection.'),
});

const params = z.strictObject({
  state: z
    .enum(['untouched', 'managed', 'off'])
    .default('untouched')
    .describe('`managed` adds what the cluster needs to the active firewall; `off` stops and disables firewall services; else left alone.'),
  role: z
    .enum(['director', 'backend', 'client'])
    .optional()
    .describe('What the host is: directors also need VRRP, and no tracking of half connections. Unsaid, who has VRRP peers is a director.'),
  services: z.array(service).default([]).describe('Virtual services whose ports are admitted.'),
  vrrp_peers: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .default([])
    .describe('Addresses of the other directors, whose adverts are admitted.'),
  interfaces: z
    .array(text.regex(/^[^\s/]{1,15}$/, 'an interface name'))
    .default([])
    .describe('NICs on which to admit; empty: every zone of firewalld that has a NIC.'),
});

type Want = z.infer<typeof params>;

interface Seen {
  readonly services: readonly FirewallService[];
  readonly firewalld: FirewalldSeen;
  readonly stderr: string;
}

const firewalld = 'firewalld.service';

export default defineTask({
  summary: 'Leaves the firewall alone (the default), lets the cluster through the active one, or turns it off.',
  params,
  touches: ({ state }: Want) =>
    state === 'untouched' ? [] : state === 'off' ? firewallUnits.map((unit) => `service:${unit}`) : ['firewall:firewalld'],
  before: (want: Want) => (want.state === 'managed' ? firewalldBefore(needed(want)) : []),
  probe({ state, ...want }: Want) {
    if (state === 'untouched') return sh`:`;
    return state === 'off' ? firewallServicesProbe : lines(firewallServicesProbe, sh`printf '\nzones\n'`, firewalldProbe(isDirector(want)));
  },
  parse({ stdout, stderr }: Output): Seen {
    const [services = '', ...zones] = stdout.split('\nzones\n');
    return { services: parseFirewallServices(services), firewalld: parseFirewalld(zones.join('\n')), stderr };
  },
  plan(seen: Seen, want: Want): readonly Change[] {
    if (want.state === 'off') return firewallOff(seen.services);
    const active = activeFirewall(seen, want);
    return active === undefined
      ? []
      : firewalldChanges(seen.firewalld, { zones: zonesOf(seen.firewalld, want.interfaces), ...needed(want) });
  },
  settled(want: Want, seen: Seen): string {
    if (want.state === 'untouched') return 'the firewall is left as it is';
    if (want.state === 'off') return 'no firewall service is active or enabled; rules that no service loaded are not looked at';
    if (activeFirewall(seen, want) === undefined) return 'no firewall is active, nothing to admit';
    const { rules, direct } = needed(want);
    const names = [...rules, ...direct.map(({ name }) => ({ name: `${name} untracked` }))].map(({ name }) => name);
    return `firewalld admits ${names.join(', ') || 'all that is asked for: nothing'}, now and after a reboot`;
  },
  example: {
    state: 'managed',
    role: 'director',
    services: [{ vip: '10.18.43.30', port: 80, protocol: 'tcp', forward: 'dr' }],
    vrrp_peers: ['10.18.43.20'],
    interfaces: ['eth0', 'eth1'],
  },
});

/** Undefined when there is nothing to add to. Refuses what cannot be added to yet: a half-open firewall must not look right. */
function activeFirewall({ services, firewalld: seen, stderr }: Seen, { state }: Want): typeof firewalld | undefined {
  const active = services.filter((each) => each.active).map(({ name }) => name);
  if (state !== 'managed' || active.length === 0) return undefined;
  if (!active.includes(firewalld)) {
    throw refuse(
      `${active.join(' and ')} is active; only firewalld can be managed so far`,
      'add the rules yourself and say `firewall: untouched`, or `firewall: off`',
    );
  }
  if (seen.live.zones.length === 0 || seen.persisted.zones.length === 0) {
    throw refuse(
      `firewalld is active but does not answer${stderr.trim() ? `: ${stderr.trim().split('\n').at(-1)}` : ''}`,
      'see: firewall-cmd --state',
    );
  }
  return firewalld;
}

function isDirector({ role, vrrp_peers }: Pick<Want, 'role' | 'vrrp_peers'>): boolean {
  return role === undefined ? vrrp_peers.length > 0 : role === 'director';
}

/** Ports on every host; on directors also adverts of the peers, IGMP for the multicast group they come by, and no tracking of half connections. */
function needed(want: Want) {
  const { services, vrrp_peers } = want;
  const ports = [...new Set(services.map(({ port, protocol }) => `${port}/${protocol}`))];
  const rules: readonly Admission[] = [
    ...ports.map((rule) => ({ name: rule, kind: 'port', rule }) as const),
    ...(isDirector(want) && vrrp_peers.length > 0 ? [...vrrp_peers.map(vrrpFrom), igmp] : []),
  ];
  const halves = isDirector(want) ? services.filter(({ forward }) => forward !== 'nat') : [];
  const direct = halves.map(({ vip, port, protocol }) => ({
    name: `${vip}:${port}/${protocol}`,
    words: ['ipv4', 'raw', 'PREROUTING', '0', '-d', vip, '-p', protocol, '--dport', String(port), '-j', 'CT', '--notrack'],
  }));
  return { rules, direct };
}

const igmp: Admission = { name: 'igmp', kind: 'rich-rule', rule: 'rule protocol value="igmp" accept', protocol: 'igmp' };

function vrrpFrom(peer: string): Admission {
  const family = peer.includes(':') ? 'ipv6' : 'ipv4';
  const rule = `rule family="${family}" source address="${peer}" protocol value="vrrp" accept`;
  return { name: `vrrp from ${peer}`, kind: 'rich-rule', rule, protocol: 'vrrp' };
}
