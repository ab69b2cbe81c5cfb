/** Addresses of both families as `ip` shows them. */
import { shortAddress } from '../ipvs/kernel-table.ts';

export interface InterfaceAddress {
  readonly device: string;
  readonly address: string;
  readonly prefix: number;
}

/** Lines of `ip -o addr show`, each once; what has another form is left out. */
export function parseInterfaceAddresses(said: readonly string[]): readonly InterfaceAddress[] {
  const all = said.flatMap((line) => {
    const [, device = '', address = '', prefix = ''] =
      /^\d+: (\S+?)(?:@\S+)?\s+inet6? ([0-9a-f.:]+)(?: peer [0-9a-f.:]+)?\/(\d{1,3}) /.exec(line) ?? [];
    return device === '' ? [] : [{ device, address: shortAddress(address), prefix: Number(prefix) }];
  });
  return [...new Map(all.map((each) => [`${each.device} ${each.address}/${each.prefix}`, each])).values()];
}

/** 32, or 128 for IPv6: one address alone. */
export function wholePrefix(address: string): number {
  return address.includes(':') ? 128 : 32;
}
