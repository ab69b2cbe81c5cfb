/** What a cluster needs of its firewalls, and packets that show whether it has that and no more. */
import type { TwoHosts } from './two-hosts.ts';

export const vip6 = 'fd18:43::30';
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
const asked = [
  { rip: '10.18.43.10', port: 8081 },
  { rip: 'fd18:43::10', port: 8081 },
] as const;
const backend = {
  ...params,
  role: 'backend',
  asked,
  pinged: ['10.18.43.10', 'fd18:43::10'],
  directors: ['10.18.43.20', 'fd18:43::20'],
} as const;

const peer = ['10.18.43.20', '10.18.43.10'];
const stranger = ['10.18.43.99', '10.18.43.10'];
/** Protocol, from, to, port, TCP flags. Errors: protocol, from, to, type, port of the connection that they are about. */
const sent = {
  vrrp: `112 ${peer.join(' ')}`,
  'vrrp to the group': '112 10.18.43.20 224.0.0.18',
  'vrrp of a stranger': `112 ${stranger.join(' ')}`,
  igmp: `2 ${stranger.join(' ')}`,
  http: '6 10.18.43.99 10.18.43.30 80',
  'end of a connection of which only this half comes by': '6 10.18.43.99 10.18.43.30 80 17',
  'http to the own address': '6 10.18.43.99 10.18.43.10 80',
  https: '6 10.18.43.99 10.18.43.30 443',
  check: `6 ${peer.join(' ')} 8081`,
  'check of a stranger': `6 ${stranger.join(' ')} 8081`,
  dns: '17 10.18.43.99 10.18.43.30 53',
  sync: `17 ${peer.join(' ')} 8848`,
  'sync of a stranger': `17 ${stranger.join(' ')} 8848`,
  tunnel: `4 ${peer.join(' ')}`,
  'tunnel of a stranger': `4 ${stranger.join(' ')}`,
  ping: `1 ${peer.join(' ')} 8`,
  'another message of a director': `1 ${peer.join(' ')} 13`,
  'ping of a stranger': `1 ${stranger.join(' ')} 8`,
  'too big': '1 10.18.43.99 10.18.43.30 3 80',
  'too big to the own address': '1 10.18.43.99 10.18.43.10 3 80',
  'another error': '1 10.18.43.99 10.18.43.30 11 80',
  redirect: '1 10.18.43.99 10.18.43.30 5 80',
  'ping of the VIP': '1 10.18.43.99 10.18.43.30 8',
  'vrrp over IPv6': '112 fd18:43::20 fd18:43::10',
  'vrrp to the group of IPv6': '112 fe80::20%eth0 ff02::12%eth0',
  'vrrp over IPv6 of a stranger': '112 fd18:43::99 fd18:43::10',
  'http over IPv6': `6 fd18:43::99 ${vip6} 80`,
  'check over IPv6': '6 fd18:43::20 fd18:43::10 8081',
  'check over IPv6 of a stranger': '6 fd18:43::99 fd18:43::10 8081',
  'https over IPv6': `6 fd18:43::99 ${vip6} 443`,
  'too big over IPv6': `58 fd18:43::99 ${vip6} 2 80`,
  'unreachable over IPv6': `58 fd18:43::99 ${vip6} 1 80`,
  'another error over IPv6': `58 fd18:43::99 ${vip6} 3 80`,
} as const;
export type Packet = keyof typeof sent;

export const admitted: Readonly<Record<string, { readonly want: { readonly role: string }; readonly packets: readonly Packet[] }>> = {
  director: {
    want: director,
    packets: [
      ...(['vrrp', 'vrrp to the group', 'igmp', 'http', 'end of a connection of which only this half comes by', 'dns', 'sync'] as const),
      'too big',
      ...(['vrrp over IPv6', 'vrrp to the group of IPv6', 'http over IPv6', 'too big over IPv6', 'unreachable over IPv6'] as const),
    ],
  },
  backend: {
    want: backend,
    packets: [
      'http',
      'end of a connection of which only this half comes by',
      'http to the own address',
      'check',
      'dns',
      'tunnel',
      'ping',
      // A real server sees whole connections, and what is about them is related to these.
      ...(['too big', 'too big to the own address', 'another error', 'redirect'] as const),
      ...(['http over IPv6', 'check over IPv6', 'too big over IPv6', 'unreachable over IPv6', 'another error over IPv6'] as const),
    ],
  },
};

/** Addresses of the host with the firewall, and of all the others. */
export const inner = ['10.18.43.10/24', 'fd18:43::10/64', 'lo 10.18.43.30/32', `lo ${vip6}/128`] as const;
export const outer = ['10.18.43.20/24', '10.18.43.99/24', 'fd18:43::20/64', 'fd18:43::99/64', 'fe80::20/64'] as const;

/** Nobody answers for an IPv6 address on lo: what IPVS has on its card is sent to that. */
export const toVip6 = `ip route add ${vip6} via fd18:43::10`;

/** Those of all packets that come through. */
export async function heardBy(two: TwoHosts): Promise<readonly Packet[]> {
  const came = await two.through(Object.values(sent));
  return (Object.keys(sent) as Packet[]).filter((name) => came.includes(sent[name]));
}

/** As they are sent. */
export function inOrder(packets: readonly Packet[]): readonly Packet[] {
  return (Object.keys(sent) as Packet[]).filter((name) => packets.includes(name));
}

/** ufw and firewalld admit messages of ICMP as they come, errors about no connection excepted. */
export function withoutPings(packets: readonly Packet[]): readonly Packet[] {
  return packets.filter((name) => !/^1 \S+ \S+ (8|13)$/.test(sent[name]));
}
