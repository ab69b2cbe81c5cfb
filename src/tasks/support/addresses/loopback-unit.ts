/** The unit that puts VIPs on a device at boot: independent of NetworkManager, networkd, ifupdown or netplan. */
import { bootUnitPath, bootUnitText } from '../systemd/boot-unit.ts';
import { addWords } from './loopback-address.ts';

/** One for each device: a host may have VIPs on lo and on the end of a tunnel. */
export function unitNameOf(device: string): string {
  return device === 'lo' ? 'lvsctl-loopback-vip.service' : `lvsctl-loopback-vip-${device}.service`;
}

export function unitPathOf(device: string): string {
  return bootUnitPath(unitNameOf(device));
}

/** After the sysctls, so that the host never answers ARP for a VIP; before the network and nginx, so that nothing misses it. */
export function loopbackUnit(addresses: readonly string[], device: string): string {
  return bootUnitText({
    name: unitNameOf(device),
    description: `Virtual addresses of the LVS cluster on ${device}`,
    wants: ['network-pre.target'],
    after: ['systemd-sysctl.service', 'network-pre.target', ...(device === 'lo' ? [] : ['lvsctl-tunnel.service'])],
    before: ['network.target', 'nginx.service'],
    start: addresses.map((address) => `/sbin/ip addr replace ${addWords(address, device).join(' ')}`),
    stop: addresses.map((address) => `-/sbin/ip addr del ${addWords(address, device).slice(0, 3).join(' ')}`),
  });
}

/** The addresses that a unit of ours adds, each once. */
export function addressesOfUnit(unit: string): readonly { readonly address: string; readonly device: string }[] {
  const adds = [...unit.matchAll(/^ExecStart=\/sbin\/ip addr replace ([\da-f.:]+)\/(?:32|128) dev ([\w.-]+) scope global(?: nodad)?$/gm)];
  return [...new Map(adds.map(([line, address = '', device = '']) => [line, { address, device }])).values()];
}
