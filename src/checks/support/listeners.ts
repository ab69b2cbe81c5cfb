/** Which TCP ports a host listens on. */
import { type Sh, sh } from '../../task.ts';
import type { Said } from './said.ts';

export interface Listener {
  /** `*`: every address of IPv4, and of IPv6 where the socket takes both. */
  readonly address: string;
  readonly port: number;
}

/** One process: `ss`, which has the kernel pick the listening sockets, or the kernel's whole list where there is no `ss`. */
export const listenerProbe: Sh = sh`if command -v ss >/dev/null 2>&1; then ss -ltn | while IFS= read -r line; do printf 'ss %s\n' "$line"; done
else grep -hs ' 0A 00000000:00000000 ' /proc/net/tcp /proc/net/tcp6 | while read -r _ local _; do printf 'proc %s\n' "$local"; done
fi`;

/** `undefined` when nothing was said at all: a host that can be reached over ssh listens on something. */
export function listeners(said: Said): readonly Listener[] | undefined {
  const found = [...said.all('ss').flatMap(fromSs), ...said.all('proc').flatMap(fromProc)];
  return found.length > 0 ? found : undefined;
}

/** `LISTEN 0 511 0.0.0.0:80 0.0.0.0:*`; older ones write `*:80` and `:::80`, and an interface as `10.0.0.1%eth0:80`. */
function fromSs(line: string): readonly Listener[] {
  const local = /^LISTEN\s+\d+\s+\d+\s+(\S+):(\d+)\s/.exec(line);
  if (!local) return [];
  const address = (local[1] ?? '').replace(/%.*$/, '').replace(/^\[(.*)\]$/, '$1');
  return [{ address: anyAddress(address), port: Number(local[2]) }];
}

/** Whether a socket on `::` takes IPv4 too is not to be seen in every version: it does unless somebody forbade it. */
function anyAddress(address: string): string {
  return address === '0.0.0.0' || address === '::' || address === '' ? '*' : address;
}

/** `1E2B120A:0050`: the address in the byte order of the host, which is little-endian wherever lvsctl was tried. */
function fromProc(local: string): readonly Listener[] {
  const [, address = '', port = ''] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/i.exec(local) ?? [];
  if (address === '') return [];
  const number = Number.parseInt(port, 16);
  if (/^0+$/.test(address)) return [{ address: '*', port: number }];
  const bytes = (address.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
  return address.length === 8 ? [{ address: bytes.toReversed().join('.'), port: number }] : [];
}
