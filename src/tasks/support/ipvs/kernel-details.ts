/** What /proc/net/ip_vs does not say of virtual and real servers, as ipvsadm does: flags of schedulers, netmasks, limits of connections. */
import { shortAddress } from './kernel-table.ts';

export interface ServiceDetails {
  readonly flags: readonly string[];
  readonly onePacket: boolean;
  /** Netmask or prefix length; absent: each client for itself. */
  readonly granularity: string | undefined;
}

export interface Limits {
  readonly upper: number;
  readonly lower: number;
}

/** Reads the `-A` lines of `ipvsadm -Sn`, by the words that name the service: `-t 10.0.0.1:80`, `-f 1`. */
export function parseSaved(lines: readonly string[]): ReadonlyMap<string, ServiceDetails> {
  const found = lines.map((line) => {
    const words = line.trim().split(/\s+/);
    const after = (flag: string) => (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined);
    const details = { flags: after('-b')?.split(',').sort() ?? [], onePacket: words.includes('-o'), granularity: after('-M') };
    return [words.slice(1, 3).join(' '), details] as const;
  });
  return new Map(found);
}

/** Reads `ipvsadm -Ln --thresholds`: limits of each real server, by the service's words and `>` and its own place. */
export function parseLimits(lines: readonly string[]): ReadonlyMap<string, Limits> {
  const found = new Map<string, Limits>();
  let service = '';
  for (const line of lines) {
    const [, kind = '', place = ''] = /^(TCP|UDP|FWM) +(\S+) /.exec(line) ?? [];
    if (kind !== '') service = `${{ TCP: '-t', UDP: '-u', FWM: '-f' }[kind]} ${place}`;
    const [, server, upper, lower] = /^ +-> (\S+) +(\d+) +(\d+) /.exec(line) ?? [];
    if (server !== undefined) found.set(`${service}>${server}`, { upper: Number(upper), lower: Number(lower) });
  }
  return found;
}

/** `10.0.0.1:80`, `[fd00::1]:80`: as ipvsadm takes and writes it. */
export function socket({ address, port }: { readonly address: string; readonly port: number }): string {
  const short = shortAddress(address);
  return short.includes(':') ? `[${short}]:${port}` : `${short}:${port}`;
}
