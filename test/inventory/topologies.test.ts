/** What the kinds of clusters beside direct routing become, and what is refused because it cannot work. */
import { describe, expect, it, test } from 'vitest';
import { parseInventory } from '../../src/inventory/load.ts';
import { complaintsAbout } from './base.ts';

interface Parts {
  readonly vrrp?: string;
  readonly services?: string;
  readonly directors?: string;
  readonly backends?: string;
  readonly more?: string;
}

const twoDirectors = `  dr1: { address: 10.18.43.10, priority: 100, interfaces: { eth0: 10.18.43.10/24, eth1: 192.168.7.2/24 } }
  dr2: { address: 10.18.43.20, priority: 150, interfaces: { eth0: 10.18.43.20/24, eth1: 192.168.7.3/24 } }`;

/** An inventory of these parts; each part is what stands below its key. */
function inventory({ vrrp = 'vrrp: { id: 51, interface: eth0 }', services, directors = twoDirectors, backends, more = '' }: Parts): string {
  const real = backends ?? '  web1: { address: 10.18.43.13 }\n  web2: { address: 10.18.43.14 }';
  const served = services === undefined ? '' : `services:\n${services}\n`;
  return `cluster: web\n${vrrp}\n${served}directors:\n${directors}\nbackends:\n${real}\n${more}`;
}

const fleetOf = (parts: Parts) => parseInventory(inventory(parts), 'web.yaml').fleet;
const plain = '  - { vip: 10.18.43.30, port: 80, scheduler: rr }';
const inside = '  web1: { address: 192.168.7.13 }\n  web2: { address: 192.168.7.14 }';
const natted = '  - { vip: 10.18.43.30, port: 80, scheduler: rr, forward: nat, backends: { web1: { port: 8080 }, web2: {} } }';
const gateway = 'nat: { gateway: 192.168.7.1/24, interface: eth1 }';

describe('NAT', () => {
  it('moves the gateway of the real servers with the VIP, and keeps an eye on both interfaces', () => {
    const { vrrp, services, virtualAddresses, nginx } = fleetOf({ services: natted, backends: inside, more: `${gateway}\nnginx: {}` });
    expect(vrrp?.instances[0]).toMatchObject({ trackInterfaces: ['eth1'] });
    expect(virtualAddresses).toEqual([
      { address: '10.18.43.30', prefix: 32, interface: 'eth0' },
      { address: '192.168.7.1', prefix: 24, interface: 'eth1' },
    ]);
    expect(services[0]?.realServers.map(({ rip, port }) => `${rip}:${port}`)).toEqual(['192.168.7.13:8080', '192.168.7.14:80']);
    expect(nginx?.listeners.map(({ port }) => port)).toEqual([8080, 80]);
  });
});

describe('IPv6', () => {
  const directors = `  dr1: { address: "fd79::10", priority: 100 }
  dr2: { address: "FD79:0::20", priority: 150, interfaces: { eth0: ["fd79::20/64", 10.18.43.20/24] } }`;
  const backends = `  web1: { address: "fd79::13" }
  web2: { address: 10.18.43.14, interfaces: { eth0: [10.18.43.14/24, "fd79:0:0:0::14/64"] } }`;
  const both = `${plain}\n  - { vip: "fd79:0::30", port: 80, scheduler: rr }`;

  it('has VRRPv3, addresses as everyone writes them, and the real servers of its family', () => {
    const { vrrp, services, hosts, vips } = fleetOf({
      services: '  - { vip: "fd79:0::30", port: 80, scheduler: rr }',
      directors,
      backends,
    });
    expect(vrrp?.instances).toMatchObject([{ family: 'ipv6', version: 3, addresses: [{ address: 'fd79::30', prefix: 128 }] }]);
    expect(vips).toEqual(['fd79::30']);
    expect(hosts.map(({ interfaces }) => interfaces[0]?.addresses)).toEqual([
      ['fd79::10/64'],
      ['fd79::20/64', '10.18.43.20/24'],
      ['fd79::13/64'],
      ['10.18.43.14/24', 'fd79::14/64'],
    ]);
    expect(services[0]?.realServers.map(({ rip }) => rip)).toEqual(['fd79::13', 'fd79::14']);
  });

  it('and IPv4 side by side want an instance each', () => {
    const four = `  dr1: { address: 10.18.43.10, priority: 100, interfaces: { eth0: [10.18.43.10/24, "fd79::10/64"] } }`;
    const dual = `  web1: { address: 10.18.43.13, interfaces: { eth0: [10.18.43.13/24, "fd79::13/64"] } }`;
    const parts = { services: both, directors: four, backends: dual };
    expect(complaintsAbout(inventory(parts))).toEqual([
      'web.yaml:2:1: no VRRP instance owns the VIP fd79::30; add it to the vips of one of VI_1, or add an instance: one family each',
    ]);
    const vrrp = 'vrrp: { interface: eth0, instances: { VI_1: { id: 51, vips: [10.18.43.30] }, VI_6: { id: 51, vips: ["fd79::30"] } } }';
    const { instances } = fleetOf({ ...parts, vrrp }).vrrp ?? {};
    expect(instances?.map(({ family, version }) => `${family} ${version}`)).toEqual(['ipv4 2', 'ipv6 3']);
    expect(
      complaintsAbout(inventory({ ...parts, vrrp: vrrp.replace('interface: eth0', 'interface: eth0, alarm: two-masters.sh') })),
    ).toEqual([
      'web.yaml:2:26: vrrp.alarm asks by ARP, which VI_6 has not: IPv6; take alarm away; lvsctl verify finds two masters of IPv6 too',
    ]);
  });
});

describe('firewall marks', () => {
  it('are one service over several ports', () => {
    const [service] = fleetOf({
      services: '  - { vip: 10.18.43.30, fwmark: 7, ports: [80, { port: 443 }], scheduler: rr }',
      more: 'nginx: {}',
    }).services;
    expect(service).toMatchObject({
      port: 80,
      protocol: 'tcp',
      fwmark: { mark: 7, ports: [{ port: 80 }, { port: 443, protocol: 'tcp' }] },
    });
  });

  it('are asked over TLS on the port that speaks it', () => {
    const service = '  - { vip: 10.18.43.30, fwmark: 7, ports: [80, 443], scheduler: rr, check: { https: {} } }';
    expect(fleetOf({ services: service }).services[0]?.check).toMatchObject({ kind: 'https', port: 443 });
    for (const udp of ['ports: [{ port: 8443, protocol: tcp }, { port: 443, protocol: udp }]', 'protocol: udp, ports: [8443, 443]']) {
      const other = service.replace('ports: [80, 443]', udp);
      expect(fleetOf({ services: other }).services[0]?.check).not.toHaveProperty('port');
    }
  });

  it('make a listener of each port, with TLS on 443', () => {
    const { nginx } = fleetOf({ services: '  - { vip: 10.18.43.30, fwmark: 7, ports: [80, 443], scheduler: rr }', more: 'nginx: {}' });
    expect(nginx?.listeners.map(({ port, tls }) => `${port} ${tls}`)).toEqual(['80 false', '443 true']);
  });
});

describe('several instances', () => {
  const services = `${plain}\n  - { vip: 10.18.43.31, port: 80, scheduler: rr }`;
  const vrrp = `vrrp:
  interface: eth0
  instances: { VI_1: { id: 51, vips: [10.18.43.30] }, VI_2: { id: 52, vips: [10.18.43.31], mode: master-backup } }`;
  const directors = `  dr1: { address: 10.18.43.10, priority: { VI_1: 150, VI_2: 100 } }
  dr2: { address: 10.18.43.20, priority: { VI_1: 100, VI_2: 150 } }`;

  it('share the directors out', () => {
    const fleet = fleetOf({ vrrp, services, directors });
    expect(fleet.vrrp?.instances.map(({ instance, mode }) => `${instance} ${mode}`)).toEqual([
      'VI_1 backup-nopreempt',
      'VI_2 master-backup',
    ]);
    expect(fleet.hosts[0]).toMatchObject({ priority: 150, priorities: { VI_1: 150, VI_2: 100 } });
  });
});

describe('layer 7', () => {
  const more = `proxy:
  sites:
    - vip: 10.18.43.30
      port: 80
      backends: { web1: { weight: 2 }, web2: { backup: true } }
      by_user_agent: [{ match: iphone, backends: [web2], port: 8081 }]
nginx: {}`;

  it('has sites and upstreams, and no virtual server', () => {
    const { proxy, services, vips, nginx } = fleetOf({ more });
    expect({ services, vips }).toEqual({ services: [], vips: ['10.18.43.30'] });
    expect(proxy?.upstreams).toMatchObject([
      {
        name: 'site_1',
        servers: [
          { host: 'web1', port: 80, weight: 2 },
          { host: 'web2', backup: true },
        ],
      },
      { name: 'site_1_1', servers: [{ host: 'web2', port: 8081 }] },
    ]);
    expect(proxy?.sites[0]).toMatchObject({ upstream: 'site_1', byUserAgent: [{ match: 'iphone', upstream: 'site_1_1' }] });
    expect(nginx?.listeners.map(({ port }) => port)).toEqual([80, 8081]);
  });
});

describe('a static director', () => {
  it('holds the VIPs all the time', () => {
    const {
      vrrp,
      static: fixed,
      virtualAddresses,
    } = fleetOf({ vrrp: 'static: { interface: eth0 }', services: plain, directors: '  dr1: { address: 10.18.43.10 }' });
    expect({ vrrp, fixed }).toEqual({ vrrp: undefined, fixed: { interface: 'eth0' } });
    expect(virtualAddresses).toEqual([{ address: '10.18.43.30', prefix: 32, interface: 'eth0' }]);
  });
});

test('a public VIP in front of private real servers is said to be routed', () => {
  const far = (more: string) => inventory({ services: `  - { vip: 203.0.113.30, port: 80, scheduler: rr${more} }` });
  expect(complaintsAbout(far(''))).toEqual([
    'web.yaml:4:12: the VIP 203.0.113.30 lies outside the network of eth0 on dr1 (10.18.43.10/24); nobody would ask for it by ARP: take an address of that network which no host has; routed: true, if a router sends it to the director',
  ]);
  expect(complaintsAbout(far(', routed: true'))).toEqual([]);
});

test('so is that of a site; one of several says so for all, and beside a service the service does', () => {
  const sites = (...said: readonly string[]) =>
    said.map((more, index) => `    - { vip: 203.0.113.30, port: ${8080 + index}${more} }`).join('\n');
  const far = (services: string | undefined, ...said: readonly string[]) =>
    complaintsAbout(inventory({ ...(services !== undefined && { services }), more: `proxy:\n  sites:\n${sites(...said)}` })).map((each) =>
      each.replace(/^\S+ /, ''),
    );
  const problem =
    'the VIP 203.0.113.30 lies outside the network of eth0 on dr1 (10.18.43.10/24); nobody would ask for it by ARP: take an address of that network which no host has; routed: true, if a router sends it to the director';
  expect(far(undefined, '', '')).toEqual([problem]);
  expect(far(undefined, '', ', routed: true')).toEqual([]);
  const service = '  - { vip: 203.0.113.30, port: 80, scheduler: rr }';
  expect(far(service, '')).toEqual([problem]);
  expect(far(service.replace('rr', 'rr, routed: true'), '')).toEqual([]);
});

const oneOf = (services: string): Parts => ({ services });

test('one script may be named in several places, and unicast and a hysteresis that the weights allow are right', () => {
  const vrrp =
    'vrrp: { id: 51, interface: eth0, unicast: true, notify: a/look.sh, scripts: { look: { file: ./a/look.sh } }, track_scripts: [look] }';
  const services =
    '  - { vip: 10.18.43.30, port: 80, scheduler: rr, quorum: 2, hysteresis: 1, backends: { web1: { weight: 2 }, web2: {} }, check: { misc: { script: package.json, timeout: 2 } } }';
  expect(complaintsAbout(inventory({ vrrp, services }))).toEqual([]);
});

/** Three instances of a VIP each, in these groups. */
function grouped({
  groups,
  b = '',
  priorities = ['150', '100'],
}: {
  groups: string;
  b?: string;
  priorities?: readonly [string, string];
}): Parts {
  const [first, second] = priorities;
  const instances = ['A', 'B', 'C'].map((name, index) => `${name}: { id: 5${index}, vips: [10.18.43.3${index}]${name === 'B' ? b : ''} }`);
  return {
    vrrp: `vrrp: { interface: eth0, instances: { ${instances.join(', ')} }, sync_groups: { ${groups} } }`,
    services: [0, 1, 2].map((index) => `  - { vip: 10.18.43.3${index}, port: 80, scheduler: rr }`).join('\n'),
    directors: `  dr1: { address: 10.18.43.10, priority: ${first} }\n  dr2: { address: 10.18.43.20, priority: ${second} }`,
  };
}

test('a sync group of one order and one mode is right, whatever another one is; so is one VRID on two networks, and on 443 what is no TLS', () => {
  const other = grouped({ groups: 'G: [A, B]', priorities: ['{ A: 150, B: 200, C: 100 }', '{ A: 100, B: 50, C: 150 }'] });
  expect(complaintsAbout(inventory(other))).toEqual([]);
  const vrrp =
    'vrrp: { instances: { A: { id: 51, interface: eth0, vips: [10.18.43.30] }, B: { id: 51, interface: eth1, vips: [192.168.7.30] } } }';
  const services = `${plain}\n  - { vip: 192.168.7.30, port: 80, scheduler: rr }`;
  expect(complaintsAbout(inventory({ vrrp, services }))).toEqual([]);
  const more = 'proxy: { sites: [{ vip: 10.18.43.30, port: 80, backend_port: 443 }] }\nnginx: { listen: [{ port: 443, tls: false }] }';
  expect(complaintsAbout(inventory({ more }))).toEqual([]);
});

test.each(['255.255.255.255', '255.255.240.0', '255.0.0.0', '128.0.0.0'])('clients may stay together by %s', (mask) => {
  const services = `  - { vip: 10.18.43.30, port: 80, scheduler: rr, persistence: 50, persistence_granularity: ${mask} }`;
  expect(complaintsAbout(inventory({ services }))).toEqual([]);
});

describe('what cannot work', () => {
  const cases: readonly (readonly [what: string, parts: Parts, line: string])[] = [
    [
      'neither VRRP nor static',
      { vrrp: 'ssh: {}', services: plain },
      'vrrp is missing; required: vrrp: { id: 51, interface: eth0 }, or static: { interface: eth0 } for directors without keepalived',
    ],
    [
      'both',
      {
        vrrp: 'vrrp: { id: 51, interface: eth0 }\nstatic: { interface: eth0 }',
        services: plain,
        directors: '  dr1: { address: 10.18.43.10, priority: 100 }',
      },
      'web.yaml:3:1: the inventory says both vrrp and static; keepalived would fight with rules set once: keep one of them',
    ],
    [
      'two static directors',
      { vrrp: 'static: { interface: eth0 }', services: plain },
      'web.yaml:2:1: there are 2 static directors, and each would hold the VIPs; say vrrp for several directors, or keep one',
    ],
    ['nothing to serve', {}, 'services is missing; required: at least one service, or proxy: { sites: … }'],
    [
      'no VRID',
      { vrrp: 'vrrp: { interface: eth0 }', services: plain },
      'vrrp.id is missing; required: a whole number from 1 to 255, unique on the segment',
    ],
    [
      'one VRID twice on a segment',
      {
        vrrp: 'vrrp: { interface: eth0, instances: { A: { id: 51, vips: [10.18.43.30] }, B: { id: 51, vips: [10.18.43.31] } } }',
        services: `${plain}\n  - { vip: 10.18.43.31, port: 80, scheduler: rr }`,
      },
      'the VRID 51 is taken on eth0: A has it (line 2); each instance of a segment has its own',
    ],
    [
      'one VRID on two cards of a network',
      {
        vrrp: 'vrrp: { instances: { A: { id: 51, interface: eth0, vips: [10.18.43.30] }, B: { id: 51, interface: eth1, vips: [10.18.43.31] } } }',
        services: `${plain}\n  - { vip: 10.18.43.31, port: 80, scheduler: rr }`,
        directors: '  dr1: { address: 10.18.43.10, priority: 100, interfaces: { eth0: 10.18.43.10/24, eth1: 10.18.43.12/24 } }',
      },
      'the VRID 51 is taken on the network of eth1: A has it (line 2); each instance of a segment has its own',
    ],
    [
      'a regular expression for a keepalived that is built without',
      {
        vrrp: `vrrp: { id: 51, interface: eth0 }\nkeepalived: { source: { version: 2.2.7, sha256: ${'a'.repeat(64)} } }`,
        services: `${plain.replace(/ }$/, ', check: { http: { regex: ok } } }')}`,
      },
      'the keepalived that is built knows no regex; say configure: [--enable-regex] in keepalived.source, or do without the regex',
    ],
    [
      'thousandths of a second in VRRPv3',
      { vrrp: 'vrrp: { id: 51, interface: eth0, version: "3", advert: 0.125 }', services: plain },
      'web.yaml:2:53: vrrp.advert is 0.125; allowed: hundredths of a second (VRRPv3 rounds anything finer)',
    ],
    [
      'a fraction of a second in VRRPv2',
      { vrrp: 'vrrp: { id: 51, interface: eth0, advert: 0.5 }', services: plain },
      'vrrp.advert is 0.5; allowed: whole seconds from 1 to 255 (VRRPv2 rounds fractions); version: "3" has them',
    ],
    [
      'a password in VRRPv3',
      { vrrp: 'vrrp: { id: 51, interface: eth0, version: "3", auth_pass: "1111" }', services: plain },
      'VI_1 has a password, but this is VRRPv3, which has none; take auth_pass away; keepalived would ignore it',
    ],
    [
      'a delay for what never happens',
      { vrrp: 'vrrp: { id: 51, interface: eth0, preempt_delay: 60 }', services: plain },
      'VI_1 has a preempt_delay, but never takes the VIPs back; say mode: master-backup, or take preempt_delay away',
    ],
    [
      'unicast to nobody',
      {
        vrrp: 'vrrp: { id: 51, interface: eth0, unicast: true }',
        services: plain,
        directors: '  dr1: { address: 10.18.43.10, priority: 100 }',
      },
      'VI_1 is unicast, but there is no other director; without peers keepalived falls back to multicast in silence',
    ],
    [
      'a VIP that is none',
      { vrrp: 'vrrp: { interface: eth0, instances: { A: { id: 51, vips: [10.18.43.30, 10.18.43.99] } } }', services: plain },
      'no service has the VIP 10.18.43.99; VIPs of the services: 10.18.43.30',
    ],
    [
      'a sync group of strangers',
      { vrrp: 'vrrp: { id: 51, interface: eth0, sync_groups: { G: [VI_1, VI_3] } }', services: plain },
      'no instance is called "VI_3"; did you mean "VI_1"? instances: VI_1',
    ],
    [
      'an instance in two sync groups',
      grouped({ groups: 'G: [A, B], H: [B, C]' }),
      'B is in the group G already (line 2); an instance is in one group: make one group of the two',
    ],
    [
      'two modes in a sync group',
      grouped({ groups: 'G: [A, B]', b: ', mode: master-backup' }),
      'A of the group G is backup-nopreempt, and B is master-backup; they change hands together: say one mode for all of them',
    ],
    [
      'a sync group of two masters',
      grouped({ groups: 'G: [A, B]', priorities: ['{ A: 150, B: 100, C: 100 }', '{ A: 100, B: 150, C: 150 }'] }),
      'the group G wants dr1 before dr2 in A, and dr2 before dr1 in B; they change hands together: give the directors priorities of the same order in all of them',
    ],
    [
      'a script that is not there',
      { vrrp: 'vrrp: { id: 51, interface: eth0, track_scripts: [look] }', services: plain },
      'no script is called "look"; vrrp.scripts: none',
    ],
    [
      'two services on one VIP and port',
      oneOf(`${plain}\n${plain}`),
      'the service 10.18.43.30:80 is there already (line 4); say one service for each VIP and port',
    ],
    [
      'a port in a mark and beside it',
      oneOf(`${plain}\n  - { vip: 10.18.43.30, fwmark: 1, ports: [443, 80], scheduler: rr }`),
      'the service 10.18.43.30:443 is there already (line 4); say one service for each VIP and port',
    ],
    [
      'one mark twice',
      oneOf(
        '  - { vip: 10.18.43.30, fwmark: 1, ports: [80], scheduler: rr }\n  - { vip: 10.18.43.31, fwmark: 1, ports: [80], scheduler: rr }',
      ),
      'the mark 1 is taken (line 4); each marked service has its own',
    ],
    [
      'a redirect of a mark',
      oneOf('  - { vip: 10.18.43.30, fwmark: 1, ports: [80, 443], scheduler: rr, redirect: 4000 }'),
      'a mark has several ports, and one redirect; real servers answer on the marked ports themselves: take redirect away, or say a service for each port',
    ],
    [
      'a director as sorry server of the other one',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, sorry_server: "10.18.43.20:80" }'),
      'the sorry server 10.18.43.20 is dr2, which does not have the VIP while another director sends there; say 127.0.0.1:80: each director answers by itself',
    ],
    [
      'one priority twice in an instance',
      {
        vrrp: 'vrrp: { interface: eth0, instances: { A: { id: 51 } } }',
        services: plain,
        directors: '  dr1: { address: 10.18.43.10, priority: { A: 150 } }\n  dr2: { address: 10.18.43.20, priority: 150 }',
      },
      'the priority 150 in A is taken: dr1 has it; give each director its own, best 50 apart',
    ],
    [
      'adverts from nowhere',
      {
        vrrp: 'vrrp: { interface: eth1, vip_interface: eth0, id: 51 }',
        services: plain,
        directors: '  dr1: { address: 10.18.43.10, priority: 150, interfaces: { eth0: 10.18.43.10/24, eth1: "fd79::10/64" } }',
      },
      'dr1 has no IPv4 address on eth1, from which adverts of VI_1 come; give eth1 one under its interfaces',
    ],
    [
      'NAT on a VIP that does not move with the gateway',
      {
        vrrp: 'vrrp: { interface: eth0, instances: { A: { id: 51, vips: [10.18.43.30] }, B: { id: 52, vips: [10.18.43.31] } } }',
        services: `${plain.replace(' }', ', backends: [web3] }')}\n${natted.replace('.30', '.31')}`,
        backends: `${inside}\n  web3: { address: 10.18.43.13 }`,
        more: gateway,
      },
      'B owns the VIP 10.18.43.31 of a service with NAT, but the gateway moves with A; give the VIP to A, or say sync_groups: { NAT: [A, B] }',
    ],
    [
      'a script whose name keepalived would split',
      { vrrp: 'vrrp: { id: 51, interface: eth0, notify: tell me.sh }', services: plain },
      'the script is called "tell me.sh"; allowed: letters, digits, "_", "." and "-", because keepalived.conf cannot quote the rest',
    ],
    [
      'a site without backends',
      { more: 'proxy: { sites: [{ vip: 10.18.43.30, port: 80, backends: [] }] }' },
      'this site has no backends; say all, or at least one name',
    ],
    [
      'a backup behind ip_hash',
      { more: 'proxy: { sites: [{ vip: 10.18.43.30, port: 80, method: ip_hash, backends: { web1: {}, web2: { backup: true } } }] }' },
      'web2 is a backup, and ip_hash has none; take backup away, or say another method',
    ],
    [
      'a backup behind ip_hash for some browsers',
      {
        more: 'proxy: { sites: [{ vip: 10.18.43.30, port: 80, method: ip_hash, by_user_agent: [{ match: iphone, backends: { web1: {}, web2: { backup: true } } }] }] }',
      },
      'web2 is a backup, and ip_hash has none; take backup away, or say another method',
    ],
    [
      'nothing but backups',
      { more: 'proxy: { sites: [{ vip: 10.18.43.30, port: 80, backends: { web1: { backup: true } } }] }' },
      'every backend of proxy.sites[0] is a backup; nginx wants one that is asked first: give it a weight above 0, and no backup',
    ],
    [
      'nothing that has weight',
      { more: 'proxy: { sites: [{ vip: 10.18.43.30, port: 80, backends: { web1: { weight: 0 }, web2: { weight: 0 } } }] }' },
      'every backend of proxy.sites[0] has weight 0; nginx wants one that is asked first: give it a weight above 0, and no backup',
    ],
    [
      'one without weight, and a backup',
      { more: 'proxy: { sites: [{ vip: 10.18.43.30, port: 80, backends: { web1: { weight: 0 }, web2: { backup: true } } }] }' },
      'every backend of proxy.sites[0] is a backup or has weight 0; nginx wants one that is asked first: give it a weight above 0, and no backup',
    ],
    [
      'a site on the port of TLS',
      { more: 'proxy: { sites: [{ vip: 10.18.43.30, port: 443, backend_port: 80 }] }' },
      'nginx on the directors has no certificate: it would serve 10.18.43.30:443 as plain HTTP; say a service with port 443, whose backends serve TLS, or a playbook of your own: "listen" of nginx_proxy has "tls"',
    ],
    [
      'a backend that serves TLS behind a site',
      { more: 'proxy: { sites: [{ vip: 10.18.43.30, port: 80, backend_port: 443 }] }' },
      'web1 serves TLS on port 443, and nginx on the directors speaks plain HTTP to backends; name a port of theirs without TLS, as backend_port or port',
    ],
    [
      'one that serves it elsewhere, for some browsers',
      {
        more: 'proxy: { sites: [{ vip: 10.18.43.30, port: 80, by_user_agent: [{ match: iphone, backends: { web2: { port: 8443 } } }] }] }\nnginx: { listen: [80, { port: 8443, tls: true }] }',
      },
      'web2 serves TLS on port 8443, and nginx on the directors speaks plain HTTP to backends; name a port of theirs without TLS, as backend_port or port',
    ],
    [
      'a mark without ports',
      oneOf('  - { vip: 10.18.43.30, fwmark: 1, scheduler: rr }'),
      'this service has a fwmark, but no ports; say ports: [80, 443]',
    ],
    [
      'NAT without a way back',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, forward: nat }'),
      'replies of NAT real servers must go through the directors, and no nat.gateway is said; say nat: { gateway: ADDRESS/LENGTH, interface: NAME }',
    ],
    [
      'a real server without a route back',
      { services: natted, more: gateway },
      'web1 (10.18.43.13) has no route to the gateway 192.168.7.1/24; its replies must go through the director: put it on that segment, or take it out of the service',
    ],
    [
      'a gateway outside',
      { services: natted, backends: inside, more: 'nat: { gateway: 192.168.8.1/24, interface: eth1 }' },
      'the gateway 192.168.8.1/24 lies in no network of eth1 on dr1 (192.168.7.2/24); take a free address of that network, with its prefix length',
    ],
    [
      'a tunnel that maps ports',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, forward: tun, backends: { web1: { port: 8080 } } }'),
      'web1 has port 8080, but the service has port 80; a tunnel passes packets on as they are: the backend answers on the port of the service',
    ],
    [
      'mixed families',
      oneOf('  - { vip: "fd79::30", port: 80, scheduler: rr, routed: true }'),
      'the VIP fd79::30 is IPv6, but web1 has no IPv6 address; give web1 one on an interface, or name the backends of this service',
    ],
    [
      'a quorum that cannot be',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, quorum: 3 }'),
      'the quorum 3 is more than the weight of all real servers (2); the service would never be up: say less',
    ],
    [
      'a hysteresis that eats the quorum',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, quorum: 2, hysteresis: 2 }'),
      'web.yaml:4:70: the hysteresis 2 is not below the quorum 2; at most 1; keepalived would lower it',
    ],
    [
      'a hysteresis without a quorum',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, hysteresis: 1 }'),
      'the hysteresis 1 is not below the quorum 1; take it away, or say a greater quorum',
    ],
    [
      'a hysteresis after which the quorum never comes back',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, quorum: 2, hysteresis: 1 }'),
      'the quorum 2 and the hysteresis 1 are more than the weight of all real servers (2); once lost, the quorum would never come back: take the hysteresis away, or say a smaller quorum',
    ],
    [
      'too much of one',
      oneOf(
        '  - { vip: 10.18.43.30, port: 80, scheduler: rr, quorum: 3, hysteresis: 2, backends: { web1: { weight: 2 }, web2: { weight: 2 } } }',
      ),
      'the quorum 3 and the hysteresis 2 are more than the weight of all real servers (4); once lost, the quorum would never come back: say a hysteresis of at most 1',
    ],
    ...['255.999.0.0', '255.0.255.0', '0.0.0.0', '129', '999'].map((value): readonly [string, Parts, string] => [
      `the granularity ${value}`,
      oneOf(`  - { vip: 10.18.43.30, port: 80, scheduler: rr, persistence: 50, persistence_granularity: "${value}" }`),
      `services[0].persistence_granularity is "${value}"; allowed: a netmask such as 255.255.255.0, or for IPv6 a prefix length from 1 to 128`,
    ]),
    [
      'half a second for a script',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, check: { misc: { script: package.json, timeout: 0.5 } } }'),
      'services[0].check.misc.timeout is 0.5; allowed: whole seconds from 1 to 3600 for a script',
    ],
    [
      'two scripts of one name',
      {
        vrrp: 'vrrp: { id: 51, interface: eth0, notify: a/look.sh, scripts: { look: { file: b/look.sh } }, track_scripts: [look] }',
        services: plain,
      },
      'another script is called look.sh (line 2); the directors keep all scripts in one folder: rename one of them',
    ],
    [
      'unicast where a director has no address of the family',
      {
        vrrp: 'vrrp: { id: 51, interface: eth1, unicast: true }',
        services: '  - { vip: "fd79::30", port: 80, scheduler: rr, routed: true }',
        directors: `  dr1: { address: 10.18.43.10, priority: 100, interfaces: { eth0: 10.18.43.10/24, eth1: ["fd79::10/64"] } }
  dr2: { address: 10.18.43.20, priority: 150, interfaces: { eth0: 10.18.43.20/24, eth1: 192.168.7.3/24 } }`,
        backends: '  web1: { address: "fd79::13" }',
      },
      'VI_1 is unicast, but dr2 has no IPv6 address on eth1; give it one there, or take unicast away; its interfaces: 10.18.43.20/24 (eth0), 192.168.7.3/24 (eth1)',
    ],
    [
      'one packet of TCP',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, one_packet: true }'),
      'one_packet is for UDP; take it away, or say protocol: udp',
    ],
    [
      'persistence 0',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, persistence: 0 }'),
      'services[0].persistence is 0; allowed: whole seconds from 1 to 2678400; without the key there is no persistence',
    ],
    [
      'a flag of another scheduler',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: mh, scheduler_flags: [sh-port] }'),
      'sh-port is no flag of mh; sh has sh-port and sh-fallback, mh has mh-port and mh-fallback',
    ],
    [
      'a UDP service asked over TCP',
      oneOf('  - { vip: 10.18.43.30, port: 53, protocol: udp, scheduler: rr, check: { tcp: {} } }'),
      'this service is UDP, but its check asks over TCP; say udp, dns, ping or misc; or tcp with a port that answers',
    ],
    [
      'a check script that is not there',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, check: { misc: { script: nowhere.sh } } }'),
      'there is no file nowhere.sh; the path is relative to the inventory',
    ],
    [
      'a granularity of the other family',
      oneOf('  - { vip: 10.18.43.30, port: 80, scheduler: rr, persistence: 50, persistence_granularity: "64" }'),
      'services[0].persistence_granularity is "64"; allowed: a netmask such as 255.255.255.0 for IPv4',
    ],
    [
      'two web servers',
      { services: plain, more: 'nginx: {}\napache: {}' },
      'the inventory says both nginx and apache; keep one of them: they want the same port',
    ],
    [
      'a priority for an instance that is none',
      { services: plain, directors: '  dr1: { address: 10.18.43.10, priority: { VI_2: 100 } }' },
      'no instance is called "VI_2"; did you mean "VI_1"? instances: VI_1',
    ],
  ];
  test.each(cases)('%s', (_, parts, line) => {
    const found = complaintsAbout(inventory(parts));
    expect(found.map((each) => each.replace(/^web\.yaml(:\d+:\d+)?: /, ''))).toContain(line.replace(/^web\.yaml(:\d+:\d+)?: /, ''));
  });
});
