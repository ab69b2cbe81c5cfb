/** What stands in brackets behind a name: a range of names (`web[01:20]`), or positions in a group (`backends[0]`, `backends[1:]`). */

/** More than any cluster has; a slip in a number must not become a million hosts. */
export const longestRange = 1024;

/** The values of `01:20`, `1:20:2` or `a:f`, both ends included; undefined where it is no range, or one that runs backwards. */
export function rangeValues(range: string): readonly string[] | undefined {
  const [, first = '', last = '', step = '1'] = /^(\d{1,9}|[a-z]):(\d{1,9}|[a-z])(?::(\d{1,4}))?$/.exec(range) ?? [];
  const letters = /^[a-z]$/.test(first);
  if (first === '' || letters !== /^[a-z]$/.test(last) || Number(step) === 0) return undefined;
  // A zero in front asks for numbers of one width.
  if (/^0\d/.test(first) && first.length !== last.length) return undefined;
  const [from, to] = letters ? [first.charCodeAt(0), last.charCodeAt(0)] : [Number(first), Number(last)];
  const count = Math.floor((to - from) / Number(step)) + 1;
  if (count < 1 || count > longestRange) return undefined;
  const numbers = Array.from({ length: count }, (_, index) => from + index * Number(step));
  return numbers.map((number) =>
    letters ? String.fromCharCode(number) : String(number).padStart(/^0\d/.test(first) ? first.length : 0, '0'),
  );
}

/** The names that `web[01:03]-eu` stands for; undefined where there is no range in it, or more than one. */
export function expandName(name: string): readonly string[] | undefined {
  const [, before = '', range, after = ''] = /^([^[\]]*)\[([^[\]]*)\]([^[\]]*)$/.exec(name) ?? [];
  return range === undefined ? undefined : rangeValues(range)?.map((value) => `${before}${value}${after}`);
}

/** The hosts at these positions, counted from 0, from the end where negative, both ends included; or why there are none. */
export function pickFrom(hosts: readonly string[], inside: string): readonly string[] | string {
  if (/^-?\d{1,9}$/.test(inside)) {
    const host = hosts.at(Number(inside));
    return host === undefined ? `none at ${inside}` : [host];
  }
  const [, from, to] = /^(\d{0,9})[:-](\d{0,9})$/.exec(inside) ?? [];
  if (from === undefined || to === undefined) return `"${inside}" is no position`;
  const picked = hosts.slice(Number(from), to === '' ? undefined : Number(to) + 1);
  return picked.length > 0 ? picked : `none at ${inside}`;
}
