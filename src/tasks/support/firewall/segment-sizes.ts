/** Segments of TCP that fit into a tunnel of IPVS: what a real server must ask clients for, and the card that the packets arrive by. */
import { lines, type Sh, sh } from '../../../task.ts';
import { familyOf } from './packet-rule.ts';

const ethernet = 1500;

/** Says `mtu ADDRESS BYTES` of the card that has the address. */
export function mtuProbe(addresses: readonly string[]): Sh {
  return lines(
    ...[...new Set(addresses)].map(
      (address) => sh`ip -o addr show to ${address} 2>/dev/null | while read -r _ nic _; do
  ip -o link show dev "$nic" | sed -n ${`s/.* mtu \\([0-9]*\\) .*/mtu ${address} \\1/p`}
done`,
    ),
  );
}

/** As the probe said it; `undefined` where no card has the address. */
export function mtuOf(address: string, heard: string): number | undefined {
  const line = heard.split('\n').find((each) => each.startsWith(`mtu ${address} `));
  const bytes = Number(/^mtu \S+ (\d{3,5})$/.exec(line ?? '')?.[1]);
  return bytes >= 576 ? bytes : undefined;
}

/** The outer header, which the director adds. */
export function tunnelBytes(address: string): number {
  return familyOf(address) === 'ip6' ? 40 : 20;
}

/** What is left for a segment: MTU less the outer header, the inner one, and TCP's. */
export function segmentsWithin(mtu: number | undefined, address: string): number {
  return (mtu ?? ethernet) - 2 * tunnelBytes(address) - 20;
}

/** Packets as they come from the internet fit, tunnel and all. */
export function isRoomy(mtu: number, address: string): boolean {
  return mtu >= ethernet + tunnelBytes(address);
}
