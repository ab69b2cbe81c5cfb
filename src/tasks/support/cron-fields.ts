/** The time fields of a crontab line (crontab(5)). cron(8) ignores a line that it does not understand, and only its log says so. */
import { z } from 'zod';

export type CronField = 'minute' | 'hour' | 'day' | 'month' | 'weekday';

interface Range {
  readonly low: number;
  readonly high: number;
  /** Names for numbers, from `first` on. */
  readonly names: readonly string[];
  readonly first: number;
}

const ranges: Readonly<Record<CronField, Range>> = {
  minute: { low: 0, high: 59, names: [], first: 0 },
  hour: { low: 0, high: 23, names: [], first: 0 },
  day: { low: 1, high: 31, names: [], first: 0 },
  month: { low: 1, high: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' '), first: 1 },
  weekday: { low: 0, high: 7, names: 'sun mon tue wed thu fri sat'.split(' '), first: 0 },
};

/** A field as a parameter: text, or a bare number; text afterwards. `*` unless said. */
export function cronField(field: CronField) {
  const { low, high, names } = ranges[field];
  const also = names.length > 0 ? `, or a name such as ${names[1]}` : '';
  return z
    .union([z.string(), z.int()])
    .refine(
      (value) => isCronField(field, String(value)),
      `"*", a number from ${low} to ${high}${also}, a range, a list, or steps such as "*/5"`,
    )
    .default('*');
}

/** A list of `*`, one value or a range, each with steps or without; a name stands alone. */
export function isCronField(field: CronField, text: string): boolean {
  return text.split(',').every((part) => isPart(ranges[field], part.toLowerCase()));
}

function isPart({ low, high, names, first }: Range, part: string): boolean {
  if (names.includes(part)) return true;
  const match = /^(?:\*|(\d{1,2}|[a-z]{3})(?:-(\d{1,2}|[a-z]{3}))?)(?:\/(\d{1,2}))?$/.exec(part);
  if (!match) return false;
  const [, from, to, step] = match;
  if (step !== undefined && (Number(step) < 1 || Number(step) > high || (from !== undefined && to === undefined))) return false;
  const number = (word: string): number =>
    /^\d/.test(word) ? Number(word) : names.includes(word) ? names.indexOf(word) + first : Number.NaN;
  const [start, end] = [number(from ?? String(low)), number(to ?? from ?? String(high))];
  return start >= low && end <= high && start <= end;
}
