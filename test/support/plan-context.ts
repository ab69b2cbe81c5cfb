/** What `plan` is given beside the probe's answer, for tests: a Debian 12 backend in the cluster of field note S0. */
import type { Facts, Fleet, Host } from '../../src/model.ts';
import type { PlanContext } from '../../src/task.ts';

const ssh = { user: 'root', port: 22, timeout: 10 };

const host = (name: string, role: Host['role'], address: string, more: Partial<Host> = {}): Host => ({
  name,
  role,
  address,
  ssh,
  interfaces: [{ name: 'eth0', addresses: [`${address}/24`] }],
  vars: {},
  ...more,
});

const check = { kind: 'tcp', timeout: 3, retry: 3, delayBeforeRetry: 3, delayLoop: 6 } as const;

/** The cluster of field note S0. */
export const s0Fleet: Fleet = {
  cluster: 'web',
  file: 'inventory/dr.yaml',
  hosts: [
    host('dr1', 'director', '10.18.43.10', { priority: 100, priorities: { lvs: 100 } }),
    host('dr2', 'director', '10.18.43.20', { priority: 150, priorities: { lvs: 150 } }),
    host('web1', 'backend', '10.18.43.13', { weight: 1, rip: '10.18.43.13', rips: ['10.18.43.13'] }),
    host('web2', 'backend', '10.18.43.14', { weight: 1, rip: '10.18.43.14', rips: ['10.18.43.14'] }),
  ],
  groups: { all: ['dr1', 'dr2', 'web1', 'web2'], directors: ['dr1', 'dr2'], backends: ['web1', 'web2'], clients: [] },
  vrrp: {
    instances: [
      {
        instance: 'lvs',
        id: 51,
        family: 'ipv4',
        version: 2,
        interface: 'eth0',
        vipInterface: 'eth1',
        mode: 'backup-nopreempt',
        advert: 1,
        unicast: false,
        addresses: [{ address: '10.18.43.30', prefix: 32, interface: 'eth1' }],
        trackInterfaces: ['eth1'],
        trackProcesses: [],
        trackScripts: [],
      },
    ],
    syncGroups: [],
    scripts: [],
  },
  services: [
    {
      vip: '10.18.43.30',
      port: 80,
      protocol: 'tcp',
      scheduler: 'rr',
      forward: 'dr',
      schedulerFlags: [],
      persistence: 50,
      onePacket: false,
      quorum: 1,
      check,
      realServers: [
        { host: 'web1', rip: '10.18.43.13', port: 80, weight: 1 },
        { host: 'web2', rip: '10.18.43.14', port: 80, weight: 1 },
      ],
    },
  ],
  vips: ['10.18.43.30'],
  virtualAddresses: [{ address: '10.18.43.30', prefix: 32, interface: 'eth1' }],
  sync: false,
  packages: 'online',
  system: { tuning: false, hostnames: false, hostsFile: false },
  selinux: 'untouched',
  firewall: 'untouched',
  nginx: {
    source: {
      version: '1.26.3',
      sha256: '69ee2b237744036e61d24b836668aad3040dda461fe6f570f1787eab570c75aa',
      url: 'https://nginx.org/download/nginx-1.26.3.tar.gz',
      configure: ['--with-http_ssl_module'],
      prefix: '/usr/local/nginx',
    },
    buildOn: 'first',
    user: 'nginx',
    group: 'nginx',
    listeners: [{ port: 80, protocol: 'tcp', tls: false }],
    sites: [],
    nofile: 65536,
  },
  vars: {},
  lab: { release: 'bookworm', packages: [], memory: 384 },
};

const debian12: Facts = {
  hostname: 'web1',
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
  interfaces: { eth0: { mac: '02:00:00:00:00:0d', addresses: ['10.18.43.13/24'] } },
};

export interface ContextOptions {
  readonly facts?: Partial<Facts>;
  readonly fleet?: Partial<Fleet>;
  /** Name of a host of the fleet; web1 unless said. */
  readonly host?: string;
  /** Secret slots to values, for `same`. */
  readonly resolve?: (text: string) => string;
}

/** A context for `plan`; what is not given is the backend web1 of S0 on Debian 12. */
export function planContext(options: ContextOptions = {}): PlanContext {
  const fleet = { ...s0Fleet, ...options.fleet };
  const name = options.host ?? 'web1';
  const found = fleet.hosts.find((each) => each.name === name);
  if (!found) throw new Error(`no host ${name} in the test's fleet`);
  const resolve = options.resolve ?? ((text: string) => text);
  return {
    facts: { ...debian12, hostname: name, ...options.facts },
    host: found,
    fleet,
    same: (seen, want) => seen === resolve(want),
  };
}
