/** Which TCP and UDP ports a host listens on. */
import { canonical, familyOf } from '../../inventory/addresses.ts';
import type { Protocol } from '../../model.ts';
import { type Sh, sh } from '../../task.ts';
import type { Said } from './said.ts';

export interface Listener {
  readonly protocol: Protocol;
  /** `*`: every address of `families`. */
  readonly address: string;
  readonly port: number;
  readonly families: readonly ('ipv4' | 'ipv6')[];
}

/** One process: `ss`, which has the kernel pick the listening sockets, or the kernel's whole lists where there is no `ss`. */
export const listenerProbe: Sh = sh`if command -v ss >/dev/null 2>&1; then ss -ltun | while IFS= read -r line; do printf 'ss %s\n' "$line"; done
else
  grep -hs ' 0A 00000000:00000000 ' /proc/net/tcp /proc/net/tcp6 | while read -r _ local _; do printf 'proc %s\n' "$local"; done
  grep -hs ' 07 00000000:00000000 ' /proc/net/udp /proc/net/udp6 | while read -r _ local _; do printf 'udp %s\n' "$local"; done
fi`;

/** `undefined` when nothing was said at all: a host that can be reached over ssh listens on something. */
export function listeners(said: Said): readonly Listener[] | undefined {
  const told = said.all('ss');
  // Older ones write every address of IPv4 as `*`, newer ones those of both families.
  const old = told.some((line) => / :::\d+ /.test(line));
  const found = [
    ...told.flatMap((line) => fromSs(line, old)),
    ...said.all('proc').flatMap((line) => fromProc(line, 'tcp')),
    ...said.all('udp').flatMap((line) => fromProc(line, 'udp')),
  ];
  return found.length > 0 ? found : undefined;
}

/** Whether a packet with this destination reaches the socket. */
export function takes({ address, families }: Listener, destination: string): boolean {
  return address === destination || (address === '*' && families.includes(familyOf(destination)));
}

const both = ['ipv4', 'ipv6'] as const;

/** `tcp LISTEN 0 511 0.0.0.0:80 0.0.0.0:*`, `udp UNCONN 0 0 [::]:53 [::]:*`; an interface is written as `10.0.0.1%eth0:80`. */
function fromSs(line: string, old: boolean): readonly Listener[] {
  const [, kind = 'tcp', place = '', port] = /^(?:(tcp|udp)\s+)?(?:LISTEN|UNCONN)\s+\d+\s+\d+\s+(\S+):(\d+)\s/.exec(line) ?? [];
  if (place === '') return [];
  const protocol = kind === 'udp' ? 'udp' : 'tcp';
  const written = place.replace(/%.*$/, '');
  const address = written.replace(/^\[(.*)\]$/, '$1');
  const every = { protocol, address: '*', port: Number(port) } as const;
  if (written === '0.0.0.0' || (written === '*' && old)) return [{ ...every, families: ['ipv4'] }];
  // A socket for IPv6 alone has brackets; of an older `::` it is not to be seen, and it takes both unless somebody forbade it.
  if (written === '[::]') return [{ ...every, families: ['ipv6'] }];
  if (written === '*' || written === '::' || written === '') return [{ ...every, families: both }];
  return [{ protocol, address, port: Number(port), families: [familyOf(address)] }];
}

/** `1E2B120A:0050`: words in the byte order of the host, which is little-endian wherever lvsctl was tried. */
function fromProc(local: string, protocol: Protocol): readonly Listener[] {
  const [, hex = '', portHex = ''] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/i.exec(local) ?? [];
  if (hex === '') return [];
  const port = Number.parseInt(portHex, 16);
  if (/^0+$/.test(hex)) return [{ protocol, address: '*', port, families: hex.length === 8 ? ['ipv4'] : both }];
  const words = (hex.match(/.{8}/g) ?? []).map((word) => (word.match(/../g) ?? []).toReversed().join(''));
  return [
    {
      protocol,
      address: hex.length === 8 ? dotted(words[0] ?? '') : colons(words.join('')),
      port,
      families: [hex.length === 8 ? 'ipv4' : 'ipv6'],
    },
  ];
}

function dotted(hex: string): string {
  return (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.');
}

function colons(hex: string): string {
  return canonical((hex.match(/.{4}/g) ?? []).join(':').toLowerCase());
}
