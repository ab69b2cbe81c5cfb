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
}

/** Parameters of a task on a host, of each step in order. Directors have a card for the real servers. */
function wants(task: string, host: string, { services, vrrp = '{ id: 51, interface: eth0 }', more = '' }: Parts): readonly unknown[] {
  const text = `cluster: web
vrrp: ${vrrp}
firewall: managed
services:
${services}
directors:
  dr1: { address: 10.18.43.10, priority: 150, interfaces: { eth0: 10.18.43.10/24, eth1: 192.168.7.2/24 } }
  dr2: { address: 10.18.43.20, priority: 100, interfaces: { eth0: 10.18.43.20/24, eth1: 192.168.7.3/24 } }
backends:
  web1: { address: 192.168.7.13 }
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
    const all = Object.assign({}, ...values);
    expect(all).toMatchObject({ 'net/ipv4/ip_forward': 1, 'net/ipv4/vs/conntrack': 1 });
    expect(Object.keys(all).filter((key) => key.includes('ipv6'))).toEqual([]);
  });
});

test('a director with keepalived, too, has the repair page that the sorry server is', () => {
  const services = '  - { vip: 10.18.43.30, port: 80, scheduler: rr, sorry_server: "127.0.0.1:80" }';
  expect(wants('nginx_config', 'dr1', { services })).toMatchObject([{ sites: [{ name: 'repair', listen: [{ port: 80 }], status: 503 }] }]);
});
