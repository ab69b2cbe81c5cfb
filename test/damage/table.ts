import type { Row } from './round.ts';

/** The rows in columns: kind of damage, host, what the plan said, whether it was mended, seconds of the round. */
export function tableText(rows: readonly Row[]): string {
  const cells = rows.flatMap(({ kind, host, planned, wrong, seconds }) => {
    const lines = planned.length > 0 ? planned : ['nothing'];
    return lines.map((line, index) =>
      index === 0 ? [kind, host, line, verdict(planned, wrong), seconds.toFixed(0)] : ['', '', line, '', ''],
    );
  });
  const table = [['kind of damage', 'host', 'what plan said', 'mended', 'seconds'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function verdict(planned: readonly string[], wrong: readonly string[]): string {
  if (wrong.length > 0) return 'NO';
  return planned.some((each) => each.startsWith('refused: ')) ? 'by hand, as said' : 'yes';
}
