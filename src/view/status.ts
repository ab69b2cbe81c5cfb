/** `lvsctl status` for people: a line for each director, a table for each virtual server. */
import { styleText } from 'node:util';
import type { ClusterStatus, DirectorStatus, RealServerStatus, ServiceStatus } from '../status/status.ts';
import { printable } from './printable.ts';

const heads = ['weight', 'active', 'inactive', 'conn/s', 'pkt/s', 'in/s', 'out/s'];

/** Colours are taken out by whoever prints where none are wanted. */
export function statusLines({ directors, services }: ClusterStatus): readonly string[] {
  const names = Math.max(0, ...directors.map(({ host }) => host.length));
  return [...directors.map((director) => directorLine(director, names)), ...services.flatMap((service) => ['', ...serviceLines(service)])];
}

function directorLine({ host, vips, why }: DirectorStatus, width: number): string {
  const name = printable(host).padEnd(width);
  if (why !== undefined) return `${name}  ${styleText('red', `not reached: ${printable(why)}`)}`;
  return vips.length > 0 ? `${name}  ${styleText('green', 'has')} ${vips.join(', ')}` : `${name}  backup`;
}

function serviceLines({ service, director, scheduler, realServers }: ServiceStatus): readonly string[] {
  if (director === undefined) return [styleText('red', `${service}  no director that was reached has this VIP`)];
  const where = `${service}  ${scheduler ?? 'not in the table'} on ${printable(director)}`;
  const rows = realServers.map(rowOf);
  const table = [['', '', ...heads], ...rows.map(({ cells }) => cells)];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0))) ?? [];
  const laid = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [
    scheduler === undefined ? styleText('red', where) : where,
    ...(rows.length > 0 ? [styleText('dim', `  ${laid(table[0] ?? [])}`)] : []),
    // A line of its own: numbers and reason do not fit into 80 columns.
    ...rows.flatMap(({ cells, note }) => [`  ${laid(cells)}`, ...(note === '' ? [] : [styleText('yellow', `    ${note}`)])]),
  ];
}

const notes = {
  in: '',
  out: 'out: its health check fails, or it was taken out',
  sorry: 'the sorry server serves',
  unknown: 'not in the inventory',
} as const;

function rowOf({ host, server, state, weight, active, inactive, rates }: RealServerStatus): {
  readonly cells: readonly string[];
  readonly note: string;
} {
  const numbers = [weight, active, inactive, rates?.connections].map((number) => (number === undefined ? '-' : String(number)));
  const flow = rates ? [String(rates.packetsIn), bytes(rates.bytesIn), bytes(rates.bytesOut)] : ['-', '-', '-'];
  const note = state === 'in' && weight === 0 ? 'weight 0: gets nothing new' : notes[state];
  return { cells: [host === undefined ? '' : printable(host), server, ...numbers, ...flow], note };
}

/** `0`, `830`, `12.4k`, `3.1M`. */
export function bytes(count: number): string {
  const [unit, size] = (
    [
      ['G', 1e9],
      ['M', 1e6],
      ['k', 1e3],
    ] as const
  ).find(([, least]) => count >= least) ?? ['', 1];
  return size === 1 ? String(count) : `${(count / size).toFixed(1)}${unit}`;
}
