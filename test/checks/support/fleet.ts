/** Clusters for the tests of checks: field note S0 with a client, and what the answers of its hosts are put together with. */
import type { Facts, Fleet, Host, VirtualServer } from '../../../src/model.ts';
import type { CheckContext, Look } from '../../../src/task.ts';
import { s0Fleet } from '../../support/plan-context.ts';

const [service] = s0Fleet.services as readonly [VirtualServer];
/** Not every cluster lets lvsctl see to its nginx. */
const { nginx: _, ...unmanaged } = s0Fleet;

/** As the lab's machines have them. */
const nics: Readonly<Record<string, Facts['interfaces']>> = {
  dr1: {
    eth0: { mac: '02:4c:56:00:00:00', addresses: ['10.18.43.10/24'] },
    eth1: { mac: '02:4c:56:00:00:01', addresses: ['10.18.43.12/24'] },
  },
  dr2: {
    eth0: { mac: '02:4c:56:00:01:00', addresses: ['10.18.43.20/24'] },
    eth1: { mac: '02:4c:56:00:01:01', addresses: ['10.18.43.22/24', '10.18.43.30/32'] },
  },
  web1: { eth0: { mac: '02:4c:56:00:02:00', addresses: ['10.18.43.13/24'] } },
  web2: { eth0: { mac: '02:4c:56:00:03:00', addresses: ['10.18.43.14/24'] } },
  probe: { eth0: { mac: '02:4c:56:00:04:00', addresses: ['10.18.43.50/24'] } },
};

const client: Host = {
  name: 'probe',
  role: 'client',
  address: '10.18.43.50',
  ssh: { user: 'root', port: 22, timeout: 10 },
  interfaces: [{ name: 'eth0', addresses: ['10.18.43.50/24'] }],
  vars: {},
  sources: Array.from({ length: 32 }, (_, index) => `10.18.43.${200 + index}`),
};

/** S0 with a client that may send from 32 further addresses. */
export const fleet: Fleet = {
  ...unmanaged,
  hosts: [...s0Fleet.hosts, client],
  groups: { ...s0Fleet.groups, all: [...(s0Fleet.groups.all ?? []), 'probe'], clients: ['probe'] },
};

/** Backends whose web server lvsctl sees to, with a page that names the host on these ports. */
export function withPages<Any extends Fleet>(among: Any, ports: readonly number[] = [80]): Any {
  return { ...among, apache: { listeners: ports.map((port) => ({ port, protocol: 'tcp', tls: port === 443 })) } };
}

/** The fleet with its one virtual server changed. */
export function fleetWith(change: Partial<VirtualServer>, more: Partial<Fleet> = {}): Fleet {
  return { ...fleet, services: [{ ...service, ...change }], ...more };
}

/** The same without persistence: every connection is scheduled anew. */
export function plainFleet(change: Partial<VirtualServer> = {}, more: Partial<Fleet> = {}): Fleet {
  const { persistence: _, ...plain } = service;
  return { ...fleet, services: [{ ...plain, ...change }], ...more };
}

/** One virtual server by NAT: the directors' common address on the real servers' segment is 192.168.9.1. */
export const natFleet: Fleet = fleetWith(
  {
    forward: 'nat',
    realServers: [13, 14].map((byte, index) => ({ host: `web${index + 1}`, rip: `192.168.9.${byte}`, port: 8080, weight: 1 })),
  },
  {
    nat: { gateway: { address: '192.168.9.1', prefix: 24, interface: 'eth0' }, replies: 'services' },
    virtualAddresses: [...fleet.virtualAddresses, { address: '192.168.9.1', prefix: 24, interface: 'eth0' }],
  },
);

/** The same over IPv6, with the virtual server changed. */
export function ipv6Fleet(change: Partial<VirtualServer> = {}): Fleet {
  const realServers = [13, 14].map((byte, index) => ({ host: `web${index + 1}`, rip: `fd79::${byte}`, port: 80, weight: 1 }));
  return plainFleet(
    { vip: 'fd79::30', realServers, ...change },
    { vips: ['fd79::30'], virtualAddresses: [{ address: 'fd79::30', prefix: 128, interface: 'eth1' }] },
  );
}

const behind = [13, 14].map((byte, index) => ({
  ...{ host: `web${index + 1}`, address: `10.18.43.${byte}`, port: 8080, weight: 1 },
  ...{ maxFails: 3, failTimeout: 10, backup: false },
}));

/** Layer 7: nginx on the directors, two backends, and another order of them for telephones. */
export const proxyFleet: Fleet = {
  ...fleet,
  services: [],
  proxy: {
    upstreams: [
      { name: 'site_1', method: 'round_robin', servers: behind },
      { name: 'site_1_1', method: 'round_robin', servers: behind.toReversed() },
    ],
    sites: [
      {
        ...{ vip: '10.18.43.30', port: 80, serverName: 'www.example.org', upstream: 'site_1' },
        byUserAgent: [{ match: 'iphone|android', upstream: 'site_1_1' }],
        ...{ connectTimeout: 5, sendTimeout: 60, readTimeout: 60 },
      },
    ],
  },
};

/** One director without keepalived. */
export const staticFleet: Fleet = (({ vrrp: _, ...rest }) => ({
  ...rest,
  hosts: rest.hosts.filter(({ name }) => name !== 'dr1'),
  static: { interface: 'eth1' },
}))(plainFleet());

export function hostNamed(name: string, among: Fleet = fleet): Host {
  const found = among.hosts.find((host) => host.name === name);
  if (!found) throw new Error(`no host ${name} in the test's fleet`);
  return found;
}

const debian: Facts = {
  hostname: '',
  distribution: 'debian',
  release: '12',
  codename: 'bookworm',
  architecture: 'x86_64',
  kernel: '6.1.192',
  packageManager: 'apt',
  init: 'systemd',
  selinux: 'disabled',
  cpus: 1,
  memoryMiB: 384,
  interfaces: {},
};

/** Every host reached; dr2 has the VIP on eth1. `interfaces` replaces what a host has, `undefined` makes it one that was not reached. */
export function contextOf(among: Fleet = fleet, interfaces: Readonly<Record<string, Facts['interfaces'] | undefined>> = {}): CheckContext {
  const all = { ...nics, ...interfaces };
  const facts = among.hosts.flatMap(({ name }) => {
    const own = all[name];
    return own ? [[name, { ...debian, hostname: name, interfaces: own }] as const] : [];
  });
  return { fleet: among, facts: Object.fromEntries(facts) };
}

/** What a host answered. */
export function look(host: string, stdout: string, among: Fleet = fleet): Look {
  return { host: hostNamed(host, among), output: { stdout, stderr: '', exit: 0 } };
}
