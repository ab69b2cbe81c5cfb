/** What only ipvsadm tells of the kernel's table: flags of schedulers, thresholds, one-packet scheduling of IPv6. */
import type { VirtualServer } from '../../model.ts';
import { type Sh, sh } from '../../task.ts';
import type { Said } from './said.ts';

export interface Detail {
  /** As ipvsadm takes it: `-t 10.18.43.30:80`, `-f 7 -6`. */
  readonly place: string;
  /** Sorted. */
  readonly flags: readonly string[];
  readonly onePacket: boolean;
  readonly rows: readonly { readonly server: string; readonly upperThreshold: number; readonly lowerThreshold: number }[];
}

/** Whether the inventory says something of it that /proc/net/ip_vs does not show. */
export function needsDetail({ scheduler, onePacket, vip, fwmark, realServers }: VirtualServer): boolean {
  const limited = realServers.some(({ upperThreshold, lowerThreshold }) => upperThreshold !== undefined || lowerThreshold !== undefined);
  return scheduler === 'sh' || scheduler === 'mh' || limited || (onePacket && vip.includes(':') && !fwmark);
}

export const detailProbe: Sh = sh`! command -v ipvsadm >/dev/null 2>&1 || ipvsadm -Ln --thresholds 2>/dev/null | while IFS= read -r line; do printf 'detail %s\n' "$line"; done`;

/** `undefined` where ipvsadm said nothing. */
export function detailsOf(said: Said): readonly Detail[] | undefined {
  const told = said.all('detail');
  if (!told.some((line) => line.startsWith('IP Virtual Server version'))) return undefined;
  const details: (Detail & { readonly rows: Detail['rows'][number][] })[] = [];
  for (const line of told) {
    const [, protocol = '', where = '', family = '', rest = ''] = /^(TCP|UDP|SCTP|FWM)\s+(\S+)( IPv6)?\s+(.*)$/.exec(line) ?? [];
    if (protocol !== '') details.push({ place: placeOf(protocol, where, family), ...parseFlags(rest), rows: [] });
    const [, server = '', upper, lower] = /^\s*->\s+(\S+:\d+)\s+(\d+)\s+(\d+)\s/.exec(line) ?? [];
    if (server !== '') details.at(-1)?.rows.push({ server, upperThreshold: Number(upper), lowerThreshold: Number(lower) });
  }
  return details;
}

function placeOf(protocol: string, where: string, family: string): string {
  if (protocol === 'FWM') return `-f ${where}${family === '' ? '' : ' -6'}`;
  return `${protocol === 'UDP' ? '-u' : protocol === 'TCP' ? '-t' : '--sctp-service'} ${where}`;
}

function parseFlags(rest: string): Pick<Detail, 'flags' | 'onePacket'> {
  const flags = /\(([a-z0-9,-]+)\)/.exec(rest)?.[1]?.split(',') ?? [];
  return { flags: flags.toSorted(), onePacket: / ops\b/.test(rest) };
}
