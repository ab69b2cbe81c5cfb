import ipaddr from 'ipaddr.js';

const { IPv4 } = ipaddr;

/** True when the IPv4 address lies in the subnet of `cidr`, such as 10.18.43.10/24. */
export function inSubnet(address: string, cidr: string): boolean {
  return IPv4.parse(address).match(IPv4.parseCIDR(cidr));
}

/** The address part of `10.18.43.10/24`. */
export function addressOf(cidr: string): string {
  return cidr.replace(/\/.*$/, '');
}

/** The length in `10.18.43.10/24`: `24`. */
export function prefixOf(cidr: string): string {
  return cidr.replace(/^.*\//, '');
}

/** What the address is when no host may have it in this subnet: its network or broadcast address. */
export function subnetEdge(address: string, cidr: string): 'network' | 'broadcast' | undefined {
  if (Number(prefixOf(cidr)) > 30) return undefined;
  if (address === IPv4.networkAddressFromCIDR(cidr).toString()) return 'network';
  if (address === IPv4.broadcastAddressFromCIDR(cidr).toString()) return 'broadcast';
  return undefined;
}

/** How many addresses `10.0.0.1-10.0.0.9` has; 1 for a single address, 0 or less when it runs backwards. */
export function rangeSize(range: string): number {
  const { first, last } = ends(range);
  return last - first + 1;
}

/** Every address of a range, both ends included; a single address is a range of one. Ask `rangeSize` first. */
export function expandRange(range: string): readonly string[] {
  const { first } = ends(range);
  return Array.from({ length: Math.max(0, rangeSize(range)) }, (_, index) => toAddress(first + index));
}

function ends(range: string): { readonly first: number; readonly last: number } {
  const [first = '', last = first] = range.split('-');
  return { first: toNumber(first), last: toNumber(last) };
}

function toNumber(address: string): number {
  return IPv4.parse(address).octets.reduce((total, octet) => total * 256 + octet, 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
