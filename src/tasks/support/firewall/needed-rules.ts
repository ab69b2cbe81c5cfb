/** What the cluster needs of a firewall that drops, as rules on packets. */
import { familyOf, type Message, type PacketRule } from './packet-rule.ts';

export interface Needs {
  readonly director: boolean;
  readonly services: readonly {
    readonly vip: string;
    readonly port: number;
    readonly protocol: 'tcp' | 'udp';
    readonly forward: 'dr' | 'nat' | 'tun';
    readonly real_servers: readonly { readonly rip: string; readonly port: number }[];
  }[];
  /** What directors connect to by themselves. */
  readonly asked: readonly { readonly rip: string; readonly port: number; readonly protocol: 'tcp' | 'udp' }[];
  /** Real servers that directors ask for an echo. */
  readonly pinged: readonly string[];
  readonly vrrp_peers: readonly string[];
  readonly directors: readonly string[];
  readonly sync: boolean;
}

/** Each once; a chain takes those of its hook and family. */
export function neededRules(needs: Needs): readonly PacketRule[] {
  const rules = needs.director
    ? [...servicesOfDirector(needs), ...errorsToDirector(needs), ...askedByDirector(needs), ...pings(needs), ...pairOfDirectors(needs)]
    : [...servicesOfBackend(needs), ...askedOfBackend(needs), ...pings(needs), ...tunnelled(needs)];
  return [...new Map(rules.map((rule) => [`${rule.hook} ${rule.family} ${rule.name}`, rule])).values()];
}

type Half = Omit<PacketRule, 'family' | 'verdict'>;

/** Where no address tells the families apart, the name does: a table may hold both. */
function accept(address: string, rule: Half): PacketRule {
  const family = familyOf(address);
  const alike = family === 'ip6' && rule.from === undefined && rule.to === undefined;
  return { ...rule, name: alike ? `${rule.name} over IPv6` : rule.name, family, verdict: 'accept' };
}

/** Port, replies of NAT, and, where the director sees one half of a connection, no tracking: the other half would make it "invalid". */
function servicesOfDirector({ services }: Needs): readonly PacketRule[] {
  return services.flatMap(({ vip, port, protocol, forward, real_servers }) => {
    const what = `${port}/${protocol}`;
    const toVip = { name: `${what} to ${vip}`, to: vip, protocol, port };
    const half = { ...toVip, name: `untracked ${what} to ${vip}`, hook: 'prerouting', verdict: 'notrack', family: familyOf(vip) } as const;
    const sent = forward === 'tun' ? [] : [accept(vip, { ...toVip, hook: 'output' })];
    return [
      accept(vip, { ...toVip, hook: 'input' }),
      ...(forward === 'nat' ? [] : [half, ...sent]),
      ...real_servers.flatMap(({ rip, port: real }) => [
        accept(rip, { name: `${real}/${protocol} to ${rip}`, to: rip, protocol, port: real, hook: 'output' }),
        ...(forward === 'tun' ? [accept(rip, { name: `tunnel to ${rip}`, to: rip, protocol: innerProtocol(vip), hook: 'output' })] : []),
        ...(forward === 'nat'
          ? [accept(rip, { name: `replies of ${rip}:${real}/${protocol}`, from: rip, protocol, sourcePort: real, hook: 'forward' })]
          : []),
      ]),
    ];
  });
}

/**
 * Errors about connections that are not tracked are related to nothing, and dropped as "invalid": above all that a packet is too big for
 * the way to a client. IPVS passes them on to the real server, which has seen the whole connection.
 */
function errorsToDirector({ services }: Needs): readonly PacketRule[] {
  return halves(services).flatMap((vip) =>
    errorsTo(vip).flatMap((message) => {
      const [family, protocol] = [familyOf(vip), icmp(vip)];
      const error = { name: `${message} to ${vip}`, to: vip, protocol, message } as const;
      return [
        accept(vip, { ...error, hook: 'input' }),
        { ...error, name: `untracked ${error.name}`, hook: 'prerouting', verdict: 'notrack', family } as const,
        accept(vip, { ...error, hook: 'output' }),
      ];
    }),
  );
}

/** VIPs of connections of which a director sees one half. */
export function halves(services: Needs['services']): readonly string[] {
  return [...new Set(services.filter(({ forward }) => forward !== 'nat').map(({ vip }) => vip))];
}

/** Those without which connections hang, or wait for an answer that does not come. */
export function errorsTo(vip: string): readonly Message[] {
  return familyOf(vip) === 'ip6' ? ['packet-too-big', 'destination-unreachable'] : ['destination-unreachable'];
}

function icmp(address: string): string {
  return familyOf(address) === 'ip6' ? '58' : '1';
}

function askedByDirector({ asked }: Needs): readonly PacketRule[] {
  return asked.map(({ rip, port, protocol }) =>
    accept(rip, { name: `${port}/${protocol} to ${rip}`, to: rip, protocol, port, hook: 'output' }),
  );
}

function askedOfBackend(needs: Needs): readonly PacketRule[] {
  return questions(needs).map(({ rip, port, protocol, from }) => {
    const what = { name: `${port}/${protocol}`, protocol, port, hook: 'input' } as const;
    return accept(rip, from === undefined ? what : { ...what, name: `${what.name} from ${from}`, from });
  });
}

type Question = Needs['asked'][number] & { readonly from: string | undefined };

/** What a real server is asked on ports that are not open to all anyway; without `from` by anybody: it is not said who the directors are. */
export function questions(needs: Needs): readonly Question[] {
  const { asked, directors } = needs;
  const place = (family: PacketRule['family'], protocol: string, port?: number) => `${family} ${port}/${protocol}`;
  const open = servicesOfBackend(needs).map(({ family, protocol, port }) => place(family, protocol, port));
  return asked
    .filter(({ rip, port, protocol }) => !open.includes(place(familyOf(rip), protocol, port)))
    .flatMap((each) => {
      const near = directors.filter((from) => familyOf(from) === familyOf(each.rip));
      return (directors.length === 0 ? [undefined] : near).map((from) => ({ ...each, from }));
    });
}

/** Questions alone: the answer belongs to the connection, or comes from a host that asks nothing. */
function pings(needs: Needs): readonly PacketRule[] {
  const echo = (address: string) => ({ protocol: icmp(address), message: 'echo-request' }) as const;
  if (needs.director) return needs.pinged.map((rip) => accept(rip, { name: `ping to ${rip}`, to: rip, ...echo(rip), hook: 'output' }));
  return pingers(needs).map((from) => accept(from, { name: `ping from ${from}`, from, ...echo(from), hook: 'input' }));
}

/** Addresses of directors of the families in which they ask. */
export function pingers({ pinged, directors }: Pick<Needs, 'pinged' | 'directors'>): readonly string[] {
  return directors.filter((from) => pinged.some((rip) => familyOf(rip) === familyOf(from)));
}

/** IPv6 adverts come from link-local addresses, which no inventory knows. */
export function overIPv6({ vrrp_peers, services }: Needs): boolean {
  return services.some(({ vip }) => familyOf(vip) === 'ip6') || vrrp_peers.some((peer) => familyOf(peer) === 'ip6');
}

/** Adverts, the group that they come by, and the sync daemon. */
function pairOfDirectors(needs: Needs): readonly PacketRule[] {
  const { vrrp_peers, sync } = needs;
  if (vrrp_peers.length === 0) return [];
  const group = { from: 'fe80::/10', to: 'ff02::12', protocol: '112', name: 'vrrp on the link' };
  return [
    ...vrrp_peers.flatMap((peer) => [
      accept(peer, { name: `vrrp from ${peer}`, from: peer, protocol: '112', hook: 'input' }),
      accept(peer, { name: 'vrrp', protocol: '112', hook: 'output' }),
      ...(sync
        ? [
            accept(peer, { name: `sync from ${peer}`, from: peer, protocol: 'udp', port: syncPort, hook: 'input' }),
            accept(peer, { name: 'sync', protocol: 'udp', port: syncPort, hook: 'output' }),
          ]
        : []),
    ]),
    ...(['input', 'output'] as const).map((hook) => accept('0.0.0.0', { name: 'igmp', protocol: '2', hook })),
    ...(overIPv6(needs) ? (['input', 'output'] as const).map((hook) => accept('::', { ...group, hook })) : []),
  ];
}

/** Of the sync daemon of IPVS. */
export const syncPort = 8848;

/** To the VIP and to the RIP, so without an address: health checks go to the one, what is forwarded to the other. */
function servicesOfBackend({ services }: Needs): readonly PacketRule[] {
  return services.flatMap(({ vip, port, protocol, forward, real_servers }) => {
    const own = forward === 'nat' && real_servers.length > 0 ? [] : [{ address: vip, at: port }];
    return [...own, ...real_servers.map(({ rip, port: at }) => ({ address: rip, at }))].map(({ address, at }) =>
      accept(address, { name: `${at}/${protocol}`, protocol, port: at, hook: 'input' }),
    );
  });
}

function tunnelled({ services, directors }: Needs): readonly PacketRule[] {
  const inner = [...new Set(services.filter(({ forward }) => forward === 'tun').map(({ vip }) => innerProtocol(vip)))];
  return inner.flatMap((protocol) =>
    ends(directors, protocol).map((from) => accept(from, { name: `tunnel (${protocol}) from ${from}`, from, protocol, hook: 'input' })),
  );
}

/** What tunnels end in on a real server; the modules of the kernel name it so. */
export function tunnelDevices({ director, services }: Pick<Needs, 'director' | 'services'>): readonly string[] {
  const inner = director ? [] : services.filter(({ forward }) => forward === 'tun').map(({ vip }) => familyOf(vip));
  return [...new Set(inner)].map((family) => (family === 'ip6' ? 'ip6tnl0' : 'tunl0'));
}

/** Both addresses of a tunnel are of the family that it carries. */
export function ends(directors: readonly string[], protocol: string): readonly string[] {
  return directors.filter((address) => innerProtocol(address) === protocol);
}

/** Of what IPVS sends through the tunnel: IPv4 in IP is 4, IPv6 in IP is 41. */
function innerProtocol(vip: string): string {
  return familyOf(vip) === 'ip6' ? '41' : '4';
}
