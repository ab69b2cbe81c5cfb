/**
 * The task `firewall` with firewalls of every kind but firewalld that drop all, in this machine's kernel: what the cluster needs comes
 * through afterwards, and nothing else does. Needs root, nftables and iptables.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Change } from '../../src/model.ts';
import task from '../../src/tasks/firewall.ts';
import { firewallBootUnit } from '../../src/tasks/support/firewall-chains.ts';
import { neededRules } from '../../src/tasks/support/firewall-rules.ts';
import { planContext } from '../support/plan-context.ts';
import { type TwoHosts, twoHosts } from './two-hosts.ts';

const vip6 = 'fd18:43::30';
const params = {
  state: 'managed',
  services: [
    { vip: '10.18.43.30', port: 80, forward: 'dr' },
    { vip: '10.18.43.30', port: 53, protocol: 'udp', forward: 'tun' },
    { vip: vip6, port: 80, forward: 'dr' },
  ],
} as const;
const director = {
  ...params,
  role: 'director',
  pinged: ['10.18.43.20', 'fd18:43::20'],
  vrrp_peers: ['10.18.43.20', 'fd18:43::20'],
  sync: true,
} as const;
const backend = { ...params, role: 'backend', pinged: ['10.18.43.10', 'fd18:43::10'], directors: ['10.18.43.20', 'fd18:43::20'] } as const;

/** All but ssh, as an administrator would write it. */
const firewalls: Readonly<Record<string, string>> = {
  'nft, one table for both families': `nft -f - <<'X'
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state invalid drop
    ct state established,related accept
    iif lo accept
    meta l4proto ipv6-icmp accept
    tcp dport 22 accept
  }
  chain output { type filter hook output priority filter; policy accept; }
}
X`,
  'nft, a table for each family, which end in a jump': `nft -f - <<'X'
flush ruleset
table ip fw {
  chain end { counter log prefix "no: " reject with icmp type admin-prohibited; }
  chain in { type filter hook input priority 10; policy accept; ct state invalid drop; tcp dport 22 accept; jump end; }
}
table ip6 fw {
  chain in { type filter hook input priority 0; policy drop; ct state invalid drop; meta l4proto ipv6-icmp accept; }
}
X`,
  ...Object.fromEntries(
    ['nft', 'legacy'].map((kind) => [
      `iptables-${kind}`,
      `${['iptables', 'ip6tables']
        .map(
          (tool) => `${tool}-${kind}-restore <<'X'
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p ipv6-icmp -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
-A INPUT -j DROP
COMMIT
X`,
        )
        .join('\n')}`,
    ]),
  ),
};

const peer = ['10.18.43.20', '10.18.43.10'];
const stranger = ['10.18.43.99', '10.18.43.10'];
/** Protocol, from, to, port, TCP flags. */
const sent = {
  vrrp: `112 ${peer.join(' ')}`,
  'vrrp to the group': '112 10.18.43.20 224.0.0.18',
  'vrrp of a stranger': `112 ${stranger.join(' ')}`,
  igmp: `2 ${stranger.join(' ')}`,
  http: '6 10.18.43.99 10.18.43.30 80',
  'end of a connection of which only this half comes by': '6 10.18.43.99 10.18.43.30 80 17',
  'http to the own address': '6 10.18.43.99 10.18.43.10 80',
  https: '6 10.18.43.99 10.18.43.30 443',
  dns: '17 10.18.43.99 10.18.43.30 53',
  sync: `17 ${peer.join(' ')} 8848`,
  'sync of a stranger': `17 ${stranger.join(' ')} 8848`,
  tunnel: `4 ${peer.join(' ')}`,
  'tunnel of a stranger': `4 ${stranger.join(' ')}`,
  ping: `1 ${peer.join(' ')} 8`,
  'another message of a director': `1 ${peer.join(' ')} 13`,
  'ping of a stranger': `1 ${stranger.join(' ')} 8`,
  'vrrp over IPv6': '112 fd18:43::20 fd18:43::10',
  'vrrp to the group of IPv6': '112 fe80::20%eth0 ff02::12%eth0',
  'vrrp over IPv6 of a stranger': '112 fd18:43::99 fd18:43::10',
  'http over IPv6': `6 fd18:43::99 ${vip6} 80`,
  'https over IPv6': `6 fd18:43::99 ${vip6} 443`,
} as const;
type Packet = keyof typeof sent;

const admitted: Readonly<Record<string, { readonly want: object; readonly packets: readonly Packet[] }>> = {
  director: {
    want: director,
    packets: [
      ...(['vrrp', 'vrrp to the group', 'igmp', 'http', 'end of a connection of which only this half comes by', 'dns', 'sync'] as const),
      ...(['vrrp over IPv6', 'vrrp to the group of IPv6', 'http over IPv6'] as const),
    ],
  },
  backend: {
    want: backend,
    packets: [
      'http',
      'end of a connection of which only this half comes by',
      'http to the own address',
      'dns',
      'tunnel',
      'ping',
      'http over IPv6',
    ],
  },
};

let hosts: TwoHosts | undefined;
afterEach(() => hosts?.close());

/** Systemd's words of a unit as the shell's. */
const unitShell = (line: string): string =>
  line
    .replace(/^-/, '')
    .replace(/\$\$/g, '$')
    .replace(/%%/g, '%')
    .replace(/^\/bin\/sh -c "(.*)"$/s, (_, inner: string) => inner.replace(/\\x0a/g, '\n').replace(/\\(["\\])/g, '$1'));

describe.each(Object.entries(firewalls))('%s', (_, load) => {
  test.each(Object.entries(admitted))('what a %s needs comes through, and nothing else', async (_role, { want: asked, packets }) => {
    const outer = ['10.18.43.20/24', '10.18.43.99/24', 'fd18:43::20/64', 'fd18:43::99/64', 'fe80::20/64'];
    const two = twoHosts(['10.18.43.10/24', 'fd18:43::10/64', 'lo 10.18.43.30/32', `lo ${vip6}/128`], outer);
    hosts = two;
    // Nobody answers for an IPv6 address on lo: what IPVS has on its card is sent to that.
    two.outside(`ip route add ${vip6} via fd18:43::10`);
    two.inside(load);
    // A ping that was answered is a connection to the firewall for half a minute, and admitted as such.
    two.inside('echo 0 >/proc/sys/net/netfilter/nf_conntrack_icmp_timeout');
    const want = task.params.parse(asked);
    const look = () => task.parse({ stdout: two.inside(task.probe(want)), stderr: '', exit: 0 }, want);
    const live = (): readonly Change[] => task.plan(look(), want, planContext()).filter(({ id }) => /^(live|stale):/.test(id));
    const heard = async () => {
      const through = await two.through(Object.values(sent));
      return (Object.keys(sent) as Packet[]).filter((name) => through.includes(sent[name]));
    };

    expect(await heard()).toEqual([]);
    const changes = live();
    for (const { run } of changes) two.inside(run);
    expect(await heard()).toEqual(packets);
    expect(live()).toEqual([]);
    for (const { run } of changes) two.inside(run);

    // What loads the rules anew takes ours away; our unit brings them back, and can be rid of them.
    const unit = firewallBootUnit(look().chains, neededRules({ ...want, director: want.role === 'director' }));
    two.inside(load);
    two.inside(unit.start.map(unitShell).join('\n'));
    two.inside(unit.start.map(unitShell).join('\n'));
    expect(live()).toEqual([]);
    expect(await heard()).toEqual(packets);
    two.inside(unit.stop.map(unitShell).join('\n'));
    expect(
      live()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(changes.map(({ id }) => id).sort());
    expect(await heard()).toEqual([]);
  });
});
