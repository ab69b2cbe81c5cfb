/** What one director says of itself: its addresses, the kernel's table of virtual servers, and the rates that ipvsadm reckons from it. */
import { addressesOf, addressProbe, type InterfaceAddress } from '../checks/support/addresses.ts';
import { heard, telling } from '../checks/support/said.ts';
import { type Look, type Sh, sh } from '../task.ts';
import { parseTable, type TableService } from '../tasks/support/ipvs/kernel-table.ts';

/** A second's worth, as the kernel has seen it over the last few. */
export interface Rates {
  readonly connections: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface DirectorState {
  readonly addresses: readonly InterfaceAddress[];
  /** Empty where the kernel has no IPVS loaded. */
  readonly table: readonly TableService[];
  /** By virtual server and real server, as ipvsadm names them: `TCP 10.18.43.30:80 10.18.43.13:80`. Empty where there is no ipvsadm. */
  readonly rates: ReadonlyMap<string, Rates>;
}

/** ipvsadm would load the kernel's module where it is not loaded: it is asked only where there is a table. */
export const statusProbe: Sh = telling(
  addressProbe,
  sh`if [ -r /proc/net/ip_vs ]; then
  while IFS= read -r line; do printf 'table %s\n' "$line"; done </proc/net/ip_vs
  ! command -v ipvsadm >/dev/null 2>&1 || ipvsadm -Ln --rate --exact 2>/dev/null | while IFS= read -r line; do printf 'rate %s\n' "$line"; done
fi`,
);

/** `undefined`: the host has not said all of it. */
export function directorState(look: Look): DirectorState | undefined {
  const said = heard(look);
  const addresses = said ? addressesOf(said) : [];
  if (!said || addresses.length === 0) return undefined;
  return { addresses, table: parseTable(said.all('table')) ?? [], rates: ratesOf(said.all('rate')) };
}

function ratesOf(lines: readonly string[]): ReadonlyMap<string, Rates> {
  const rates = new Map<string, Rates>();
  let service = '';
  for (const line of lines) {
    const [, protocol = '', place = ''] = /^(TCP|UDP|SCTP|FWM)\s+(\S+)\s/.exec(line) ?? [];
    if (protocol !== '') service = `${protocol} ${place}`;
    const [, server = '', ...numbers] = /^\s*->\s+(\S+:\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$/.exec(line) ?? [];
    const [connections = 0, packetsIn = 0, packetsOut = 0, bytesIn = 0, bytesOut = 0] = numbers.map(Number);
    if (server !== '') rates.set(`${service} ${server}`, { connections, packetsIn, packetsOut, bytesIn, bytesOut });
  }
  return rates;
}
