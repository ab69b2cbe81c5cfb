/** Dotted versions, compared number by number: `1.20.2` is below `1.26.3`, `2.1` equals `2.1.0`. */

/** True when `version` is `minimum` or later. Text that is no number counts as 0. */
export function atLeast(version: string, minimum: string): boolean {
  const have = numbers(version);
  const need = numbers(minimum);
  for (let index = 0; index < Math.max(have.length, need.length); index += 1) {
    const difference = (have[index] ?? 0) - (need[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbers(version: string): readonly number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10) || 0);
}
