/** Addresses of both families as the inventory writes them. Every function takes addresses that `fields.ts` has let through. */
import ipaddr from 'ipaddr.js';

type Family = 'ipv4' | 'ipv6';

const maskPart = '(?:128|192|224|240|248|252|254|255)';
const netmask = [`${maskPart}.0.0.0`, `255.${maskPart}.0.0`, `255.255.${maskPart}.0`, `255.255.255.${maskPart}`]
  .join('|')
  .replaceAll('.', '\\.');

/** How clients are told apart by their networks: a netmask without gaps, or for IPv6 a prefix length, which is all that ipvsadm takes. */
export const granularityForm = new RegExp(`^(?:${netmask}|[1-9][0-9]?|1[01][0-9]|12[0-8])$`);
export const granularityWords = 'a netmask such as 255.255.255.0, or for IPv6 a prefix length from 1 to 128';

export function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** 32, or 128 for IPv6: the prefix length of one address alone. */
export function wholeLength(address: string): number {
  return familyOf(address) === 'ipv4' ? 32 : 128;
}

/** As everyone writes it: IPv6 in small letters and shortened (RFC 5952). */
export function canonical(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.parse(address).toString() : address;
}

/** True when the address lies in the subnet of `cidr`, such as 10.18.43.10/24. */
export function inSubnet(address: string, cidr: string): boolean {
  const [network, length] = ipaddr.parseCIDR(cidr);
  const one = ipaddr.parse(address);
  return one.kind() === network.kind() && one.match(network as never, length);
}

/** The address part of `10.18.43.10/24`. */
export function addressOf(cidr: string): string {
  return cidr.replace(/\/.*$/, '');
}

/** The length in `10.18.43.10/24`: `24`. */
export function prefixOf(cidr: string): string {
  return cidr.replace(/^.*\//, '');
}

/** What the address is when no host may have it in this subnet: its network or broadcast address; IPv6 has no such. */
export function subnetEdge(address: string, cidr: string): 'network' | 'broadcast' | undefined {
  if (familyOf(cidr) === 'ipv6' || familyOf(address) === 'ipv6' || Number(prefixOf(cidr)) > 30) return undefined;
  if (address === ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()) return 'network';
  if (address === ipaddr.IPv4.broadcastAddressFromCIDR(cidr).toString()) return 'broadcast';
  return undefined;
}

/** How many addresses `10.0.0.1-10.0.0.9` has; 1 for a single address, 0 or less when it runs backwards or changes its family. */
export function rangeSize(range: string): number {
  const [first, last] = ends(range);
  if (familyOf(first) !== familyOf(last)) return 0;
  const size = toNumber(last) - toNumber(first) + 1n;
  return size > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(size);
}

/** Every address of a range, both ends included; a single address is a range of one. Ask `rangeSize` first. */
export function expandRange(range: string): readonly string[] {
  const [first] = ends(range);
  const start = toNumber(first);
  return Array.from({ length: Math.max(0, rangeSize(range)) }, (_, index) => toAddress(start + BigInt(index), familyOf(first)));
}

function ends(range: string): readonly [string, string] {
  const [first = '', last = first] = range.split('-');
  return [first, last];
}

function toNumber(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((total, byte) => total * 256n + BigInt(byte), 0n);
}

function toAddress(number: bigint, family: Family): string {
  const length = family === 'ipv4' ? 4 : 16;
  const bytes = Array.from({ length }, (_, index) => Number((number >> BigInt(8 * (length - 1 - index))) & 255n));
  return ipaddr.fromByteArray(bytes).toString();
}
