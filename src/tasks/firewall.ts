/** What the cluster needs of the firewalls that are active. None is ever started or loaded anew; they are stopped only where the inventory says `off`. */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, type PlanContext, refuse, sh } from '../task.ts';
import { filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { chainsProbe, firewallChanges, firewallUnit, parseChains } from './support/firewall/chains.ts';
import { type FirewalldSeen, firewalldProbe, parseFirewalld, zonesOf } from './support/firewall/firewalld.ts';
import { firewalldBefore } from './support/firewall/firewalld-before.ts';
import { firewalldChanges } from './support/firewall/firewalld-changes.ts';
import { firewalldNeeds } from './support/firewall/firewalld-needs.ts';
import { policyPending, repliesOf } from './support/firewall/firewalld-replies.ts';
import { type Needs, neededRules, tunnelDevices } from './support/firewall/needed-rules.ts';
import { labelOf, type RuleChain, rulesFor } from './support/firewall/rule-chain.ts';
import {
  type FirewallService,
  firewallOff,
  firewallServicesProbe,
  firewallUnits,
  parseFirewallServices,
} from './support/firewall/services.ts';
import { isUfwChain, ufwBefore, ufwChanges, ufwPaths } from './support/firewall/ufw-before.ts';
import { text } from './support/params.ts';
import { bootUnitProbe, parseBootUnit, type SeenBootUnit } from './support/systemd/boot-unit.ts';

const address = z.union([z.ipv4(), z.ipv6()]);
const port = z.number().int().min(1).max(65535);

const service = z.strictObject({
  vip: address.describe('Virtual address.'),
  port: port.describe('Port.'),
  protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Transport protocol.'),
  forward: z
    .enum(['dr', 'nat', 'tun'])
    .default('dr')
    .describe('Forwarding method: with dr and tun a director sees one half of a connection.'),
  real_servers: z
    .array(z.strictObject({ rip: address.describe('Address.'), port: port.describe('Port.') }))
    .default([])
    .describe('Real servers: with nat their port and their replies are admitted, not the port of the VIP.'),
});

const params = z.strictObject({
  state: z
    .enum(['untouched', 'managed', 'off'])
    .default('untouched')
    .describe(
      '`managed` adds what the cluster needs to the active firewalls, and takes out what it needs no longer, but not from firewalld, where nothing tells our rules from yours; `off` stops and disables firewall services; else left alone.',
    ),
  role: z
    .enum(['director', 'backend', 'client'])
    .optional()
    .describe('What the host is: directors also need VRRP, and no tracking of half connections. Unsaid, who has VRRP peers is a director.'),
  services: z.array(service).default([]).describe('Virtual services whose ports are admitted.'),
  asked: z
    .array(
      z.strictObject({
        rip: address.describe('Address of the real server.'),
        port: port.describe('Port.'),
        protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Transport protocol.'),
      }),
    )
    .default([])
    .describe(
      'What directors connect to by themselves: health checks on a port of their own, and the backends of nginx on the directors. Backends admit it from `directors`, or from anybody where these are not said.',
    ),
  pinged: z
    .array(address)
    .default([])
    .describe(
      'Addresses of real servers whose health checks are pings: directors ask them for an echo, and from `directors` they admit it.',
    ),
  vrrp_peers: z.array(address).default([]).describe('Addresses of the other directors, whose adverts are admitted.'),
  sync: z.boolean().default(false).describe('Admits the connections that the other directors report (the sync daemon of IPVS, 8848/udp).'),
  directors: z
    .array(address)
    .default([])
    .describe('On backends: addresses of the directors, from which tunnelled packets, pings and what is `asked` are admitted.'),
  interfaces: z
    .array(text.regex(/^[^\s/]{1,15}$/, 'an interface name'))
    .default([])
    .describe('NICs on which to admit, in firewalld, beside the ends of tunnels and zones that have senders; empty: all that there are.'),
});

type Want = z.infer<typeof params>;

interface Seen {
  readonly services: readonly FirewallService[];
  readonly firewalld: FirewalldSeen;
  readonly unit: SeenBootUnit;
  readonly ufw: readonly SeenFile[];
  /** Of nft and iptables, that drop; none where firewalld is at work. */
  readonly chains: readonly RuleChain[];
  /** Some ruleset was seen, dropping or not. */
  readonly rulesSeen: boolean;
  readonly stderr: string;
}

const firewalld = 'firewalld.service';

export default defineTask({
  summary: 'Leaves the firewall alone (the default), lets the cluster through the active ones, or turns them off.',
  params,
  touches: ({ state }: Want) =>
    state === 'managed'
      ? [
          'firewall:firewalld',
          `file:/etc/systemd/system/${firewallUnit}`,
          `service:${firewallUnit}`,
          ...ufwPaths.map((path) => `file:${path}`),
        ]
      : state === 'off'
        ? firewallUnits.map((unit) => `service:${unit}`)
        : [],
  before: (want: Want) => (want.state === 'managed' ? [...firewalldBefore(firewalldNeeds(needsOf(want))), ufwBefore] : []),
  probe({ state, ...want }: Want) {
    if (state === 'untouched') return sh`:`;
    if (state === 'off') return firewallServicesProbe;
    return lines(
      firewallServicesProbe,
      sh`printf '\nzones\n'`,
      firewalldProbe(isDirector(want), repliesOf(needsOf({ state, ...want })).length > 0),
      sh`printf '\nchains\n'
[ -d /run/systemd/system ] && systemctl is-active -q firewalld.service || { ${chainsProbe}
}
printf '\nfiles\n'`,
      bootUnitProbe(firewallUnit),
      sh`printf '\nufw\n'`,
      filesProbe(ufwPaths),
    );
  },
  parse({ stdout, stderr }: Output): Seen {
    const [before = '', ufw = ''] = cut(stdout, '\nufw\n');
    const [rest, files] = cut(before, '\nfiles\n');
    const [most, chains] = cut(rest, '\nchains\n');
    const [services, zones] = cut(most, '\nzones\n');
    const found = parseFirewallServices(services);
    return {
      services: found,
      firewalld: parseFirewalld(zones),
      unit: parseBootUnit(files, firewallUnit),
      ufw: parseFiles({ stdout: ufw }, ufwPaths).files,
      // `ufw enable` leaves its unit as it was: its own switch tells.
      chains: parseChains(chains, /^ufw=yes$/m.test(services)),
      rulesSeen: /^(nft|ip6?tables(-legacy)?)\|/m.test(chains),
      stderr,
    };
  },
  plan(seen: Seen, want: Want, context: PlanContext): readonly Change[] {
    if (want.state === 'untouched') return [];
    if (want.state === 'off') return firewallOff(seen.services);
    if (firewalldActive(seen)) {
      const needs = needsOf(want);
      const tunnels = tunnelDevices(needs);
      const nics = want.interfaces.length === 0 ? [] : [...want.interfaces, ...tunnels];
      const zones = zonesOf(seen.firewalld, nics, [...Object.keys(context.facts.interfaces), ...tunnels]);
      return firewalldChanges(seen.firewalld, { zones, ...firewalldNeeds(needs) });
    }
    const [active] = activeOthers(seen);
    if (active !== undefined && !seen.rulesSeen && seen.stderr.trim() !== '') {
      throw refuse(
        `${active} is active, but its rules cannot be seen: ${seen.stderr.trim().split('\n').at(-1)}`,
        'see: nft list ruleset, iptables-save',
      );
    }
    const rules = neededRules(needsOf(want));
    return [...firewallChanges(seen.chains, rules, seen.unit, context, isUfwChain), ...ufwChanges(seen.ufw, seen.chains, rules, context)];
  },
  settled(want: Want, seen: Seen): string {
    if (want.state === 'untouched') return 'the firewall is left as it is';
    if (want.state === 'off') return 'no firewall service is active or enabled; rules that no service loaded are not looked at';
    if (firewalldActive(seen)) {
      const { rules, direct, replies } = firewalldNeeds(needsOf(want));
      const names = [
        ...[...rules, ...replies].map(({ name }) => name),
        ...direct.map(({ name, words }) => (words.includes('--notrack') ? `${name} untracked` : name)),
      ];
      return `firewalld admits ${names.join(', ') || 'all that is asked for: nothing'}, now and after a reboot`;
    }
    const admitted = seen.chains.map((chain) => ({
      label: labelOf(chain),
      names: rulesFor(chain, neededRules(needsOf(want))).map(({ name }) => name),
    }));
    const all = admitted.filter(({ names }) => names.length > 0).map(({ label, names }) => `${label} has ${names.join(', ')}`);
    const [active] = activeOthers(seen);
    if (all.length === 0)
      return active === undefined ? 'no firewall is active, nothing to admit' : `${active} is active and drops nothing: nothing to admit`;
    return `${all.join('; ')}, now and after a reboot`;
  },
  pendingReboot: (seen: Seen, want: Want) =>
    want.state === 'managed' && firewalldActive(seen) ? policyPending(seen.firewalld.policies, repliesOf(needsOf(want))) : [],
  example: {
    state: 'managed',
    role: 'director',
    services: [{ vip: '10.18.43.30', port: 80, protocol: 'tcp', forward: 'dr', real_servers: [{ rip: '10.18.43.13', port: 80 }] }],
    asked: [{ rip: '10.18.43.13', port: 8081, protocol: 'tcp' }],
    pinged: [],
    vrrp_peers: ['10.18.43.20'],
    sync: true,
    directors: [],
    interfaces: ['eth0', 'eth1'],
  },
});

/** What comes before the mark, and all that comes after it. */
function cut(text: string, mark: string): readonly [string, string] {
  const place = text.indexOf(mark);
  return place < 0 ? [text, ''] : [text.slice(0, place), text.slice(place + mark.length)];
}

/** Refuses a firewalld that does not answer: a half-open firewall must not look right. */
function firewalldActive({ services, firewalld: seen, stderr }: Seen): boolean {
  if (!services.some(({ name, active }) => name === firewalld && active)) return false;
  if (seen.live.zones.length === 0 || seen.persisted.zones.length === 0) {
    throw refuse(
      `firewalld is active but does not answer${stderr.trim() ? `: ${stderr.trim().split('\n').at(-1)}` : ''}`,
      'see: firewall-cmd --state',
    );
  }
  return true;
}

function activeOthers({ services }: Seen): readonly string[] {
  return services.filter(({ active }) => active).map(({ name }) => name);
}

function isDirector({ role, vrrp_peers }: Pick<Want, 'role' | 'vrrp_peers'>): boolean {
  return role === undefined ? vrrp_peers.length > 0 : role === 'director';
}

function needsOf(want: Want): Needs {
  return { ...want, director: isDirector(want) };
}
