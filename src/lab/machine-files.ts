import { isIpv6, type LabHost, type LabNic, type Layout } from './layout.ts';
import type { TarEntry } from './tar.ts';

/** The keys of one machine and of the lab, as OpenSSH writes them. */
export interface MachineKeys {
  readonly hostKey: string;
  readonly hostPublicKey: string;
  readonly labPublicKey: string;
}

/** What makes a machine itself: its name, its keys, its interfaces by the inventory's names, and where its packages come from. Pure. */
export function machineFiles(host: LabHost, layout: Layout, keys: MachineKeys): readonly TarEntry[] {
  return [
    file('etc/hostname', `${host.name}\n`),
    file('etc/hosts', hostsFile(layout)),
    file('etc/ssh/ssh_host_ed25519_key', keys.hostKey, 0o600),
    file('etc/ssh/ssh_host_ed25519_key.pub', keys.hostPublicKey),
    { path: 'root', mode: 0o700 },
    { path: 'root/.ssh', mode: 0o700 },
    file('root/.ssh/authorized_keys', keys.labPublicKey, 0o600),
    file('etc/apt/sources.list', `deb [trusted=yes] http://${bracketed(host.gateway)}/ ./\n`),
    ...host.nics.flatMap((nic, index) => [
      file(`etc/systemd/network/10-lab-${index}.link`, `[Match]\nMACAddress=${nic.mac}\nOriginalName=vec*\n\n[Link]\nName=${nic.name}\n`),
      file(`etc/systemd/network/10-lab-${index}.network`, networkFile(nic)),
    ]),
    // Last: its presence says that all of the others are there.
    file('etc/lab-machine', `${host.name} of lab ${layout.name}\n`),
  ];
}

/** An IPv6 address can be used at once: that nobody else has it is known, and a look would cost the first seconds of every boot. */
function networkFile({ name, addresses, gateways }: LabNic): string {
  const sections = [
    `[Match]\nName=${name}\n`,
    '[Network]\nDHCP=no\nIPv6AcceptRA=no\n',
    ...addresses.map((cidr) => `[Address]\nAddress=${cidr}\n${isIpv6(cidr) ? 'DuplicateAddressDetection=none\n' : ''}`),
    ...gateways.map((gateway) => `[Route]\nGateway=${gateway}\nGatewayOnLink=yes\n`),
  ];
  return sections.join('\n');
}

function hostsFile(layout: Layout): string {
  const names = layout.hosts.map((host) => `${host.address} ${host.name}`);
  return `${['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback', ...names].join('\n')}\n`;
}

/** The known_hosts file of the lab: every machine by its name and all its addresses. `publicKeys`: host name → key line. */
export function knownHosts(layout: Layout, publicKeys: Readonly<Record<string, string>>): string {
  const lines = layout.hosts.map((host) => {
    const names = new Set([host.name, host.address, ...host.nics.flatMap(({ addresses }) => addresses.map((cidr) => cidr.split('/')[0]))]);
    const [type, key] = (publicKeys[host.name] ?? '').split(' ');
    return `${[...names].join(',')} ${type} ${key}\n`;
  });
  return lines.join('');
}

function bracketed(address: string): string {
  return isIpv6(address) ? `[${address}]` : address;
}

function file(path: string, content: string, mode = 0o644): TarEntry {
  return { path, mode, content };
}
