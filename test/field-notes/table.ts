import { type Row, stages } from './stages.ts';

/** The rows in columns: example, note, seconds of each stage, checks passed and not run, result. */
export function tableText(rows: readonly Row[]): string {
  const cells = rows.map(({ name, note, seconds, passed, notRun, wrong }) => [
    name,
    note,
    ...stages.map((stage) => seconds[stage]?.toFixed(seconds[stage] < 9.95 ? 1 : 0) ?? '-'),
    `${passed}`,
    `${notRun}`,
    wrong.length > 0 ? 'NO' : 'yes',
  ]);
  const table = [['example', 'note', ...stages, 'checks', 'not run', 'as it should be'], ...cells];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : column > 10 ? cell : cell.padStart(widths[column] ?? 0);
  return table.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
