/** Where the kernel's table has what the inventory says. */
import type { RealServer, VirtualServer } from '../../model.ts';
import { shortAddress, type TableService } from '../../tasks/support/ipvs/kernel-table.ts';

/** Marks of both families may bear one number: the real servers tell them apart. */
export function entryOf(service: VirtualServer, table: readonly TableService[]): TableService | undefined {
  const { fwmark, vip, port } = service;
  if (!fwmark) {
    const protocol = service.protocol.toUpperCase();
    return table.find((entry) => entry.protocol === protocol && entry.address === shortAddress(vip) && entry.port === port);
  }
  const marked = table.filter((entry) => entry.protocol === 'FWM' && entry.address === String(fwmark.mark));
  const ours = (entry: TableService): boolean => entry.rows.some(({ address }) => address.includes(':') === vip.includes(':'));
  return marked.find(ours) ?? marked.find(({ rows }) => rows.length === 0);
}

/** Behind a mark a real server has no port of its own: packets keep theirs. */
export function rowPort({ fwmark }: VirtualServer, { port }: RealServer): number {
  return fwmark ? 0 : port;
}
