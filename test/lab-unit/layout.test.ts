import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { layoutOf } from '../../src/lab/layout.ts';
import type { Forward, Nic, VirtualServer } from '../../src/model.ts';
import { labFleet, labHost, s0Hosts } from '../lab/rehearsal-fleet.ts';

const layout = (...interfaces: readonly (readonly Nic[])[]) =>
  layoutOf(
    labFleet(
      'inventory.yaml',
      interfaces.map((nics, index) => labHost(`h${index}`, 'backend', ...nics)),
    ),
  );

const nic = (address: string, name = 'eth0'): Nic => ({ name, addresses: [address] });

const both = (name: string, ...addresses: readonly string[]): Nic => ({ name, addresses });

describe('the machines of field note S0', () => {
  const { segments, hosts } = layoutOf(labFleet('s0.yaml', s0Hosts()));

  test('share one segment, both interfaces of a director too', () => {
    expect(segments).toEqual([{ bridge: 'br0', subnets: [{ cidr: '10.18.43.0/24', gateway: '10.18.43.254', length: 24 }] }]);
    expect(hosts.map((host) => host.nics.map((each) => `${each.name} ${each.addresses} ${each.tap}`))).toEqual([
      ['eth0 10.18.43.10/24 tap0.0', 'eth1 10.18.43.12/24 tap0.1'],
      ['eth0 10.18.43.20/24 tap1.0', 'eth1 10.18.43.22/24 tap1.1'],
      ['eth0 10.18.43.13/24 tap2.0'],
      ['eth0 10.18.43.14/24 tap3.0'],
      ['eth0 10.18.43.50/24 tap4.0'],
    ]);
  });
});

describe('the gateway', () => {
  test('leaves alone what the inventory uses: hosts, VIPs, sources, real and director addresses', () => {
    const host = {
      ...labHost('h', 'backend', nic('10.18.43.254/24')),
      rip: '10.18.43.253',
      dip: '10.18.43.252',
      sources: ['10.18.43.251'],
    };
    const fleet = { ...labFleet('f.yaml', [host]), vips: ['10.18.43.250'] };
    expect(layoutOf(fleet).hosts[0]?.gateway).toBe('10.18.43.249');
  });

  test('is a free address inside the subnet, whatever the subnet', () => {
    const address = fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 29 })).map(([ip, length]) => `${ip}/${length}`);
    fc.assert(
      fc.property(address, (cidr) => {
        const [host] = layout([nic(cidr)]).hosts;
        const gateway = ipaddr.parse(host?.gateway ?? '') as ipaddr.IPv4;
        expect(gateway.match(ipaddr.IPv4.parseCIDR(cidr))).toBe(true);
        const unusable = [ipaddr.IPv4.networkAddressFromCIDR(cidr), ipaddr.IPv4.broadcastAddressFromCIDR(cidr)].map(String);
        expect([...unusable, cidr.split('/')[0]]).not.toContain(gateway.toString());
      }),
    );
  });

  test('works for IPv6', () => {
    const { segments } = layout([nic('2001:db8::10/64')], [nic('2001:db8::11/64')]);
    const gateway = '2001:db8::ffff:ffff:ffff:ffff';
    expect(segments).toEqual([{ bridge: 'br0', subnets: [{ cidr: '2001:db8::/64', gateway, length: 64 }] }]);
  });

  test.each(['10.0.0.1/32', '10.0.0.0/31', '2001:db8::1/128'])('has no room in %s: exit 4', (cidr) => {
    expect(() => layout([nic(cidr)])).toThrow(expect.objectContaining({ code: 'lab.no-room', exitCode: 4 }));
  });
});

describe('segments', () => {
  test('are one per subnet, and an address inside another subnet joins it', () => {
    const { segments, hosts } = layout(
      [nic('192.168.7.2/24'), nic('10.0.0.2/24', 'eth1')],
      [nic('10.0.0.3/25'), nic('10.0.0.9/32', 'eth1')],
    );
    expect(segments.map(({ subnets }) => subnets.map(({ cidr }) => cidr).join())).toEqual(['192.168.7.0/24', '10.0.0.0/24']);
    expect(hosts.map((host) => host.nics.map(({ bridge }) => bridge))).toEqual([
      ['br0', 'br1'],
      ['br1', 'br1'],
    ]);
    expect(hosts.map(({ gateway }) => gateway)).toEqual(['192.168.7.254', '10.0.0.254']);
  });

  test('hold all families of an interface, whoever has only one of them', () => {
    const { segments, hosts } = layout(
      [both('eth0', '10.0.0.2/24', 'fd79::2/64'), nic('fd80::2/64', 'eth1')],
      [nic('fd79::3/64')],
      [both('eth0', 'fd80::4/64', '10.0.1.4/24')],
    );
    expect(segments.map(({ bridge, subnets }) => `${bridge} ${subnets.map(({ gateway }) => gateway)}`)).toEqual([
      'br0 10.0.0.254,fd79::ffff:ffff:ffff:ffff',
      'br1 fd80::ffff:ffff:ffff:ffff,10.0.1.254',
    ]);
    expect(hosts.map(({ nics }) => nics.map(({ bridge, gateways }) => `${bridge} ${gateways.length}`))).toEqual([
      ['br0 2', 'br1 0'],
      ['br0 1'],
      ['br1 2'],
    ]);
    expect(hosts[1]?.gateway).toBe('fd79::ffff:ffff:ffff:ffff');
  });

  test('that turn out to be one when a later interface joins them are one', () => {
    const { segments } = layout([nic('10.0.0.2/24')], [nic('10.0.1.2/24')], [both('eth0', '10.0.0.3/24', '10.0.1.3/24')]);
    expect(segments.map(({ bridge, subnets }) => [bridge, subnets.length])).toEqual([['br0', 2]]);
  });

  test('have room for a further address with a length of its own, where the main one leaves some', () => {
    const { hosts } = layout([both('eth0', '10.0.0.2/24', '192.0.2.1/32')]);
    expect(hosts[0]?.gateway).toBe('10.0.0.254');
    expect(() => layout([both('eth0', '192.0.2.1/32', '10.0.0.2/24')])).toThrow(expect.objectContaining({ code: 'lab.no-room' }));
  });

  test('every interface has a MAC and a tap of its own, short enough for the kernel', () => {
    const { hosts } = layout(
      ...Array.from({ length: 300 }, (_, index) => [nic(`10.0.${index >> 8}.${index & 255}/16`), nic('172.16.0.2/12', 'eth1')]),
    );
    const nics = hosts.flatMap((host) => host.nics);
    expect(new Set(nics.map(({ mac }) => mac)).size).toBe(600);
    expect(new Set(nics.map(({ tap }) => tap)).size).toBe(600);
    expect(Math.max(...nics.map(({ tap }) => tap.length))).toBeLessThan(16);
  });
});

describe('a way from segment to segment', () => {
  const service = (forward: Forward): VirtualServer => ({
    ...{ vip: '10.0.0.30', port: 80, protocol: 'tcp', scheduler: 'rr', schedulerFlags: [], forward, onePacket: false, quorum: 1 },
    check: { kind: 'tcp', timeout: 3, retry: 3, delayBeforeRetry: 3, delayLoop: 6 },
    realServers: [],
  });
  const hosts = [
    labHost('dr', 'director', nic('10.0.0.2/24'), nic('192.168.7.2/24', 'eth1')),
    labHost('web', 'backend', nic('192.168.7.3/24')),
  ];
  const fleet = {
    ...labFleet('f.yaml', hosts),
    vips: ['10.0.0.30'],
    virtualAddresses: [{ address: '10.0.0.30', prefix: 32, interface: 'eth0' }],
  };

  test('is there for tunnels only: NAT must go by the director', () => {
    const routes = (forward: Forward) => layoutOf({ ...fleet, services: [service(forward)] }).routes;
    expect(['dr', 'nat', 'tun'].map((forward) => routes(forward as Forward))).toEqual([false, false, true]);
  });

  test('leads to a VIP that lies in no subnet, where the directors carry it', () => {
    const { routes, routedVips } = layoutOf({ ...fleet, virtualAddresses: [{ address: '203.0.113.30', prefix: 32, interface: 'eth1' }] });
    expect({ routes, routedVips }).toEqual({ routes: true, routedVips: [{ address: '203.0.113.30', bridge: 'br1' }] });
  });
});

describe('the digest', () => {
  const digest = (change: object) => layoutOf({ ...labFleet('f.yaml', s0Hosts()), ...change }).digest;

  test('changes with machines, not with what runs on them', () => {
    const same = digest({});
    expect(digest({ cluster: 'other', firewall: 'off' })).toBe(same);
    expect(digest({ hosts: s0Hosts().slice(1) })).not.toBe(same);
    expect(digest({ vips: ['10.18.43.254'] })).not.toBe(same);
  });
});
