/** What `deploy` computes from an inventory for its tasks, where a wrong value would cut clients off. */
import { describe, expect, test } from 'vitest';
import { parseInventory } from '../../src/inventory/load.ts';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { registry } from './support.ts';

interface Parts {
  readonly services: string;
  readonly vrrp?: string;
  readonly more?: string;
  readonly backends?: string;
  /** Addresses of the directors' cards eth0 and eth1. */
  readonly first?: readonly string[];
  readonly second?: string;
  readonly other?: string;
}

/** Parameters of a task on a host, of each step in order. Directors have a card for the real servers. */
function wants(task: string, host: string, parts: Parts): readonly unknown[] {
  const { services, vrrp = '{ id: 51, interface: eth0 }', more = '', backends = '  web1: { address: 192.168.7.13 }' } = parts;
  const { first = ['10.18.43.10/24', '10.18.43.20/24'], second = '192.168.7.2/24', other = '192.168.7.3/24' } = parts;
  const text = `cluster: web
vrrp: ${vrrp}
firewall: managed
services:
${services}
directors:
  dr1: { address: 10.18.43.10, priority: 150, interfaces: { eth0: ${first[0]}, eth1: "${second}" } }
  dr2: { address: 10.18.43.20, priority: 100, interfaces: { eth0: ${first[1]}, eth1: "${other}" } }
backends:
${backends}
nginx: {}
${more}
`;
  const { fleet } = parseInventory(text, 'web.yaml');
  const steps = bindPlaybook(loadPlaybook('playbooks/deploy.yaml'), fleet, registry).flatMap((play) => play.steps[host] ?? []);
  return steps.flatMap((step) => (step.task === task ? [step.want] : []));
}

test('the firewall admits adverts from where they come from: the card of the heartbeat', () => {
  const parts = { vrrp: '{ id: 51, interface: eth1, vip_interface: eth0 }', services: '  - { vip: 10.18.43.30, port: 80, scheduler: rr }' };
  expect(wants('firewall', 'dr1', parts)).toMatchObject([{ vrrp_peers: ['192.168.7.3'] }]);
  expect(wants('firewall', 'web1', parts)).toMatchObject([
    { vrrp_peers: [], directors: ['10.18.43.10', '192.168.7.2', '10.18.43.20', '192.168.7.3'] },
  ]);
});

test('the firewall of a real server admits redirected packets, and health checks on a port of their own', () => {
  const services = `  - { vip: 10.18.43.30, port: 80, scheduler: rr, redirect: 4000 }
  - { vip: 10.18.43.31, port: 80, scheduler: rr, check: { http: { port: 8081 } } }`;
  const [want] = wants('firewall', 'web1', { services });
  expect(want).toMatchObject({
    services: [
      { vip: '10.18.43.30', port: 80, real_servers: [{ rip: '192.168.7.13', port: 4000 }] },
      { vip: '10.18.43.31', port: 80, real_servers: [{ rip: '192.168.7.13', port: 80 }] },
    ],
    asked: [{ port: 4000 }, { rip: '192.168.7.13', port: 8081, protocol: 'tcp' }],
  });
});

test('the firewall of a real server admits what is sent to it, not what others are sent; that of a director all', () => {
  const services = `  - { vip: 10.18.43.30, port: 80, scheduler: rr, backends: [web1], check: { http: { port: 8081 } } }
  - { vip: 10.18.43.30, port: 3306, scheduler: rr, backends: [db1], check: { http: { port: 9200 } }, sorry_server: 192.168.7.13:3306 }`;
  const backends = '  web1: { address: 192.168.7.13 }\n  db1: { address: 192.168.7.14 }\n  app1: { address: 192.168.7.15 }';
  const more = 'proxy: { sites: [{ vip: 10.18.43.32, port: 80, backend_port: 8088, backends: [app1] }] }';
  const of = (host: string) => wants('firewall', host, { services, backends, more });
  const web = { vip: '10.18.43.30', port: 80, real_servers: [{ rip: '192.168.7.13', port: 80 }] };
  const database = { vip: '10.18.43.30', port: 3306, real_servers: [{ rip: '192.168.7.14', port: 3306 }] };
  const check = { rip: '192.168.7.13', port: 8081 };
  const site = { rip: '192.168.7.15', port: 8088 };
  const spare = { ...database, real_servers: [{ rip: '192.168.7.13', port: 3306 }] };
  expect(of('web1')).toMatchObject([{ services: [web, spare], asked: [check] }]);
  expect(of('db1')).toMatchObject([{ services: [database], asked: [{ rip: '192.168.7.14', port: 9200 }] }]);
  expect(of('app1')).toMatchObject([{ services: [], asked: [site] }]);
  expect(of('dr1')).toMatchObject([{ services: [web, database, { vip: '10.18.43.32' }], asked: [check, { port: 9200 }, site] }]);
});

test('a real server that is pinged admits it, and no port for it', () => {
  const services = '  - { vip: 10.18.43.30, port: 80, scheduler: rr, redirect: 4000, check: { ping: {} } }';
  expect(wants('firewall', 'web1', { services })).toMatchObject([{ pinged: ['192.168.7.13'], asked: [] }]);
  expect(wants('firewall', 'dr1', { services })).toMatchObject([{ pinged: ['192.168.7.13'], asked: [] }]);
});

test('connections that nginx on a director ends are tracked, and its backends admit it', () => {
  const services = '  - { vip: 10.18.43.30, port: 80, scheduler: rr }';
  const more = 'proxy: { sites: [{ vip: 10.18.43.32, port: 80, backend_port: 8088 }] }';
  const site = { vip: '10.18.43.32', port: 80, forward: 'nat', real_servers: [] };
  expect(wants('firewall', 'dr1', { services, more })).toMatchObject([{ services: [{ vip: '10.18.43.30' }, site] }]);
  expect(wants('firewall', 'web1', { services, more })).toMatchObject([
    { services: [{ vip: '10.18.43.30' }], asked: [{ rip: '192.168.7.13', port: 8088 }] },
  ]);
});

test('what an inventory says no longer is asked for, as nothing: else the last redirect, mark, route and VIP would stay for ever', () => {
  const services = '  - { vip: 10.18.43.30, port: 80, scheduler: rr, forward: nat }';
  const more = 'nat: { gateway: 192.168.7.1/24, interface: eth1 }';
  expect(wants('loopback_vip', 'web1', { services, more })).toMatchObject([
    { device: 'lo', addresses: [] },
    { device: 'tunl0', addresses: [] },
    { device: 'ip6tnl0', addresses: [] },
  ]);
  expect(wants('port_redirect', 'web1', { services, more })).toMatchObject([{ rules: [] }]);
  expect(wants('packet_mark', 'dr1', { services, more })).toMatchObject([{ rules: [] }]);
  expect(wants('route', 'web1', { services: services.replace('nat', 'dr') })).toEqual([{ routes: [] }]);
});

describe('NAT', () => {
  const more = 'nat: { gateway: 192.168.7.1/24, interface: eth1 }';

  test('sends the replies of every marked port back through the director', () => {
    const services = '  - { vip: 10.18.43.30, fwmark: 5, ports: [80, 443, { port: 53, protocol: udp }], scheduler: rr, forward: nat }';
    const [want] = wants('route', 'web1', { services, more }) as readonly { readonly routes: readonly object[] }[];
    expect(want?.routes).toMatchObject([
      { from: '192.168.7.13', protocol: 'tcp', port: 80 },
      { from: '192.168.7.13', protocol: 'tcp', port: 443 },
      { from: '192.168.7.13', protocol: 'udp', port: 53 },
    ]);
  });

  test('of IPv4 makes no router of IPv6: that would end the autoconfiguration of the director', () => {
    const services = '  - { vip: 10.18.43.30, port: 80, scheduler: rr, forward: nat }';
    const values = wants('sysctl', 'dr1', { services, more }).map((want) => (want as { values: object }).values);
    expect(values.filter((each) => 'net/ipv4/vs/conntrack' in each)).toHaveLength(1);
    const all = Object.assign({}, ...values);
    expect(all).toMatchObject({ 'net/ipv4/ip_forward': 1, 'net/ipv4/vs/conntrack': 1 });
    expect(Object.keys(all).filter((key) => key.includes('ipv6'))).toEqual([]);
  });
});

test('where nothing is NAT, IPVS leaves the tracking of connections alone, also where somebody had it do that', () => {
  const all = wants('sysctl', 'dr1', { services: '  - { vip: 10.18.43.30, port: 80, scheduler: rr, forward: dr, routed: true }' });
  expect(all).toContainEqual(expect.objectContaining({ values: expect.objectContaining({ 'net/ipv4/vs/conntrack': 0 }) }));
});

describe('several cards', () => {
  const values = (host: string, parts: Partial<Parts> = {}) =>
    Object.assign({}, ...wants('sysctl', host, { services, ...parts }).map((want) => (want as { values: object }).values));
  const services = '  - { vip: 10.18.43.30, port: 80, scheduler: rr, forward: dr, backends: [far] }';
  const router = '{ id: 51, interface: eth0 }';
  const backend = (cards: string) => ({ services, backends: `  far: { address: 10.18.43.15, interfaces: ${cards} }` });
  const filters = (of: object) => Object.keys(of).filter((key) => key.endsWith('rp_filter'));

  test('of a real server: that of the director takes packets of clients who are routed elsewhere', () => {
    const two = backend('{ eth0: 10.18.43.15/24, eth1: 172.16.0.15/24 }');
    expect(values('far', two)).toMatchObject({ 'net/ipv4/conf/eth0/rp_filter': 2 });
    expect(filters(values('far', two))).toHaveLength(1);
    expect(filters(values('far', backend('{ eth0: 10.18.43.15/24 }')))).toEqual([]);
  });

  test('of a director in one network: only that of the VIP answers for it', () => {
    const one = backend('{ eth0: 10.18.43.15/24 }');
    expect(values('dr1', one)).not.toHaveProperty(['net/ipv4/conf/all/arp_ignore']);
    const crowded = { ...one, vrrp: router, second: '10.18.43.12/24', other: '10.18.0.22/16' };
    for (const director of ['dr1', 'dr2']) {
      expect(values(director, crowded)).toMatchObject({
        'net/ipv4/conf/all/arp_ignore': 1,
        'net/ipv4/conf/all/arp_announce': 2,
        'net/ipv4/conf/eth0/rp_filter': 2,
        'net/ipv4/conf/eth1/rp_filter': 2,
      });
    }
  });
});

test('a real server behind a tunnel asks for segments that fit, of every VIP that it has there', () => {
  const services = `  - { vip: 10.18.43.30, port: 80, scheduler: rr, forward: tun }
  - { vip: 10.18.43.31, port: 80, scheduler: rr, forward: dr, backends: [near] }`;
  const backends = '  web1: { address: 192.168.7.13 }\n  near: { address: 10.18.43.15 }';
  expect(wants('segment_size', 'web1', { services, backends })).toEqual([
    { tool: 'nft', rules: [{ address: '10.18.43.30', rip: '192.168.7.13' }] },
  ]);
  const direct = services.replace('forward: tun', 'forward: tun, backends: [web1]');
  expect(wants('segment_size', 'near', { services: direct, backends })).toEqual([{ tool: 'nft', rules: [] }]);
});

test('directors of IPv6 NAT heed router advertisements on, if they do, before they forward', () => {
  const parts = {
    services: '  - { vip: "fd79::30", port: 80, scheduler: rr, forward: nat }',
    second: 'fd79:7::2/64',
    other: 'fd79:7::3/64',
    more: 'nat: { gateway: "fd79:7::1/64", interface: eth1 }',
    first: ['[10.18.43.10/24, "fd79::10/64"]', '[10.18.43.20/24, "fd79::20/64"]'],
    backends: '  web1: { address: "fd79:7::13" }',
  };
  const all = wants('sysctl', 'dr1', parts) as readonly { readonly values: object; readonly only_over?: readonly number[] }[];
  const heed = all.findIndex(({ only_over }) => only_over !== undefined);
  expect(all[heed]).toMatchObject({ values: { 'net/ipv6/conf/eth0/accept_ra': 2, 'net/ipv6/conf/eth1/accept_ra': 2 }, only_over: [1] });
  expect(all[heed + 1]?.values).toHaveProperty(['net/ipv6/conf/all/forwarding'], 1);
});

test('a director with keepalived, too, has the repair page that the sorry server is', () => {
  const services = '  - { vip: 10.18.43.30, port: 80, scheduler: rr, sorry_server: "127.0.0.1:80" }';
  expect(wants('nginx_config', 'dr1', { services })).toMatchObject([{ sites: [{ name: 'repair', listen: [{ port: 80 }], status: 503 }] }]);
});

test('a director that shall sound the alarm has what it asks with', () => {
  const services = '  - { vip: 10.18.43.30, port: 80, scheduler: rr }';
  const vrrp = '{ id: 51, interface: eth0, alarm: two-masters.sh }';
  const names = (parts: Parts) => wants('package', 'dr1', parts).map((want) => (want as { readonly name: unknown }).name);
  // One for each family of distributions: which it is stands in the facts.
  expect(names({ services, vrrp })).toEqual(expect.arrayContaining(['iputils-arping', 'iputils']));
  expect(names({ services })).not.toEqual(expect.arrayContaining(['iputils-arping']));
});
