/** The unit that puts VIPs on a device at boot: independent of NetworkManager, networkd, ifupdown or netplan. */

export const unitName = 'lvsctl-loopback-vip.service';
export const unitPath = `/etc/systemd/system/${unitName}`;

/**
 * After the sysctls, so that the host never answers ARP for a VIP; before the network and nginx, so that nothing misses it. `/sbin/ip`
 * exists on every distribution, and systemd before 239 wants an absolute path.
 */
export function loopbackUnit(addresses: readonly string[], device: string): string {
  const each = (line: (place: string) => string) => addresses.map((address) => `${line(`${address}/32 dev ${device}`)}\n`).join('');
  return `# Written by lvsctl.
[Unit]
Description=Virtual addresses of the LVS cluster on ${device}
DefaultDependencies=no
Wants=network-pre.target
After=systemd-sysctl.service network-pre.target
Before=network.target nginx.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
${each((place) => `ExecStart=/sbin/ip addr replace ${place} scope global`)}${each((place) => `ExecStop=-/sbin/ip addr del ${place}`)}
[Install]
WantedBy=multi-user.target
`;
}

/** The addresses that a unit of ours adds, each once. */
export function addressesOfUnit(unit: string): readonly { readonly address: string; readonly device: string }[] {
  const adds = [...unit.matchAll(/^ExecStart=\/sbin\/ip addr replace ([\d.]+)\/32 dev ([\w.-]+) scope global$/gm)];
  return [...new Map(adds.map(([line, address = '', device = '']) => [line, { address, device }])).values()];
}
