/** Addresses that a host has, as `ip -o addr show` prints them since iproute2 of EL5; no `-j`, which came in 2017. */
import { type Sh, sh } from '../../task.ts';
import type { Said } from './said.ts';

export interface InterfaceAddress {
  readonly nic: string;
  readonly address: string;
  readonly prefix: number;
  /** `global`, `link`, `host`, or a number. */
  readonly scope: string;
}

/** One process. Read it with `addressesOf`. */
export const addressProbe: Sh = sh`ip -o addr show | while IFS= read -r line; do printf 'address %s\n' "$line"; done`;

/** Empty when `ip` is missing or said nothing: no host that can be asked has no address at all. */
export function addressesOf(said: Said): readonly InterfaceAddress[] {
  return said.all('address').flatMap((line) => {
    const found = /^\d+:\s+(\S+)\s+inet6?\s+([0-9a-f.:]+)(?:\s+peer\s+[0-9a-f.:]+)?(?:\/(\d+))?(?=\s).*?\sscope\s+(\S+)/.exec(line);
    if (!found) return [];
    const [, nic = '', address = '', prefix, scope = ''] = found;
    return [{ nic, address, prefix: prefix === undefined ? hostPrefix(address) : Number(prefix), scope }];
  });
}

/** Length of the prefix that means one address alone: 32, or 128 for IPv6. */
export function hostPrefix(address: string): number {
  return address.includes(':') ? 128 : 32;
}

/** `10.18.43.30/32`. */
export function cidr({ address, prefix }: Pick<InterfaceAddress, 'address' | 'prefix'>): string {
  return `${address}/${prefix}`;
}
