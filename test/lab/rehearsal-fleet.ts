import type { Fleet, Host, LabSettings, Nic } from '../../src/model.ts';

/** A host for lab tests: only what the lab looks at means anything. */
export function labHost(name: string, role: Host['role'], ...interfaces: readonly Nic[]): Host {
  const address = interfaces[0]?.addresses[0]?.split('/')[0] ?? '';
  return { name, role, address, interfaces, ssh: { user: 'admin', port: 2222, timeout: 10 }, vars: {} };
}

/** A fleet of these hosts. `file` names the lab, so tests that run at the same time take different ones. */
export function labFleet(file: string, hosts: readonly Host[], lab: Partial<LabSettings> = {}): Fleet {
  return {
    cluster: 'lab-test',
    file,
    hosts,
    groups: { all: hosts.map((host) => host.name) },
    static: { interface: 'eth1' },
    services: [],
    vips: ['10.18.43.30'],
    virtualAddresses: [{ address: '10.18.43.30', prefix: 32, interface: 'eth1' }],
    sync: false,
    packages: 'online',
    system: { tuning: false, hostnames: false, hostsFile: false },
    selinux: 'untouched',
    firewall: 'untouched',
    vars: {},
    lab: { release: 'bookworm', packages: [], memory: 384, ...lab },
  };
}

const nic = (name: string, last: number): Nic => ({ name, addresses: [`10.18.43.${last}/24`] });

/** The machines of field note S0, and a client. */
export function s0Hosts(): readonly Host[] {
  return [
    labHost('dr1', 'director', nic('eth0', 10), nic('eth1', 12)),
    labHost('dr2', 'director', nic('eth0', 20), nic('eth1', 22)),
    labHost('web1', 'backend', nic('eth0', 13)),
    labHost('web2', 'backend', nic('eth0', 14)),
    labHost('probe', 'client', nic('eth0', 50)),
  ];
}
