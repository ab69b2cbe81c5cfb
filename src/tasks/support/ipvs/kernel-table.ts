/** The kernel's own table of virtual servers, /proc/net/ip_vs: exact, in hexadecimal, and there without ipvsadm. */
import ipaddr from 'ipaddr.js';
import type { Forward } from '../../../model.ts';

export interface TableRow {
  readonly address: string;
  readonly port: number;
  readonly forward: Forward | 'local' | 'unknown';
  readonly weight: number;
  /** Connections that are open, and those that are about to be forgotten. */
  readonly active: number;
  readonly inactive: number;
}

export interface TableService {
  /** `TCP`, `UDP`, `SCTP`, `FWM`. */
  readonly protocol: string;
  /** Address, or the mark of a FWM service in decimal. */
  readonly address: string;
  readonly port: number;
  readonly scheduler: string;
  /** In jiffies; absent: not persistent. */
  readonly persistence?: number;
  /** Whose clients stay together: a netmask (`255.255.255.0`), for IPv6 the length of a prefix; there when persistent. */
  readonly granularity?: string;
  /** Every packet is scheduled by itself. The kernel does not say so of an IPv6 service. */
  readonly onePacket?: boolean;
  readonly rows: readonly TableRow[];
}

const forwards: Readonly<Record<string, TableRow['forward']>> = { Route: 'dr', Tunnel: 'tun', Masq: 'nat', Local: 'local' };

/** Reads the lines of the table; what is no row of it is left out. `undefined` when its head is missing. */
export function parseTable(lines: readonly string[]): readonly TableService[] | undefined {
  if (!lines.some((line) => line.startsWith('IP Virtual Server version'))) return undefined;
  const services: (TableService & { readonly rows: TableRow[] })[] = [];
  for (const line of lines) {
    const service = parseService(line);
    if (service) services.push({ ...service, rows: [] });
    const row = parseRow(line);
    if (row) services.at(-1)?.rows.push(row);
  }
  return services;
}

function parseService(line: string): Omit<TableService, 'rows'> | undefined {
  const [, protocol = '', place = '', scheduler = '', flags = ''] = /^(TCP|UDP|SCTP|FWM)\s+(\S+)\s+(\S+)\s*(.*)$/.exec(line) ?? [];
  if (protocol === '') return undefined;
  const endpoint = protocol === 'FWM' ? { address: String(Number.parseInt(place, 16)), port: 0 } : parseEndpoint(place);
  const [, persistence, mask = ''] = /persistent (\d+)(?: ([0-9A-F]{8}))?/.exec(flags) ?? [];
  return (
    endpoint && {
      protocol,
      ...endpoint,
      scheduler,
      ...(persistence !== undefined && { persistence: Number(persistence) }),
      ...(mask !== '' && { granularity: granularityOf(mask) }),
      ...(/^ops\b/.test(flags) && { onePacket: true }),
    }
  );
}

/** `FFFFFF00` is a netmask. The length of an IPv6 prefix stands in the other byte order: `40000000` is 64. */
function granularityOf(mask: string): string {
  const bytes = (mask.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
  const [first = 0, ...rest] = bytes;
  // 128 and a netmask of one bit look alike: of the two, only 128 is ever used.
  return first <= 128 && rest.every((byte) => byte === 0) && first > 0 ? String(first) : bytes.join('.');
}

function parseRow(line: string): TableRow | undefined {
  const [, place = '', forward = '', weight, active, inactive] = /^\s*->\s+(\S+)\s+(\S+)\s+(\d+)(?:\s+(\d+)\s+(\d+))?/.exec(line) ?? [];
  const endpoint = parseEndpoint(place);
  return (
    endpoint && {
      ...endpoint,
      forward: forwards[forward] ?? 'unknown',
      weight: Number(weight),
      active: Number(active ?? 0),
      inactive: Number(inactive ?? 0),
    }
  );
}

function parseEndpoint(text: string): { readonly address: string; readonly port: number } | undefined {
  const [, v4, v6, port = ''] = /^(?:([0-9A-F]{8})|\[([0-9a-f:.]+)\]):([0-9A-F]{4})$/i.exec(text) ?? [];
  const address = v4 === undefined ? v6 : (v4.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.');
  return address === undefined ? undefined : { address: shortAddress(address), port: Number.parseInt(port, 16) };
}

/** The kernel writes IPv6 addresses at full length; people do not. */
export function shortAddress(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.parse(address).toString() : address;
}

/** An address as the table writes it: `0A122B1E`, `[fd79:0000:0000:0000:0000:0000:0000:0030]`. */
export function hexAddress(address: string): string {
  if (ipaddr.IPv6.isValid(address))
    return `[${ipaddr.IPv6.parse(address)
      .parts.map((part) => part.toString(16).padStart(4, '0'))
      .join(':')}]`;
  return address
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0').toUpperCase())
    .join('');
}
