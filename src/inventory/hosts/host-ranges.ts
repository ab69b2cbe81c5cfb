/** `web[01:20]: { address: "10.18.43.[11:30]" }` says twenty hosts at once: they are told apart before anything is looked at. */
import { type Complaint, fault, formatValue, keyFault, type Locate, type Path } from '../complaints.ts';
import { sections } from './entries.ts';
import { expandName, longestRange } from './subscript.ts';

export interface Expanded {
  readonly value: unknown;
  /** Finds what was said of a range where the range stands. */
  readonly locate: Locate;
  /** What is wrong with a range is wrong with each of its hosts: it is said of the first. */
  readonly once: (complaints: readonly Complaint[]) => readonly Complaint[];
  /** About the ranges themselves; they are to be located in the file as it was. */
  readonly complaints: readonly Complaint[];
}

type Mapping = Readonly<Record<string, unknown>>;

/** Fields whose text may hold a range: host number n of the range gets value number n. */
const addresses = ['address', 'rip', 'dip'];

export function expandHosts(value: unknown, locate: Locate): Expanded {
  if (!isMapping(value)) return { value, locate, once: (all) => all, complaints: [] };
  const complaints: Complaint[] = [];
  const origin = new Map<string, string>();
  const expanded = sections
    .filter((section) => isMapping(value[section]))
    .map((section) => [section, expandSection(section, value[section] as Mapping, origin, complaints)] as const);
  const at = (path: Path | number): Path | number => {
    if (typeof path === 'number') return path;
    const key = origin.get(path.slice(0, 2).join('.'));
    return key === undefined ? path : [path[0] ?? '', key, ...path.slice(2)];
  };
  const place = ({ at: path, code }: Complaint): string => JSON.stringify([code, at(path)]);
  return {
    value: { ...value, ...Object.fromEntries(expanded) },
    locate: (one) => locate({ ...one, at: at(one.at) }),
    once: (all) => all.filter((one, index) => at(one.at) === one.at || all.findIndex((other) => place(other) === place(one)) === index),
    complaints,
  };
}

function expandSection(section: string, hosts: Mapping, origin: Map<string, string>, complaints: Complaint[]): Mapping {
  const all = new Map<string, unknown>();
  for (const [key, said] of Object.entries(hosts)) {
    const names = /[[\]]/.test(key) ? expandName(key) : [key];
    if (!names) complaints.push(badRange([section, key], key));
    for (const [index, name] of (names ?? []).entries()) {
      if (all.has(name)) complaints.push(twice([section, key], name));
      all.set(name, names && names.length > 1 ? memberOf(said, [section, key], index, names.length, complaints) : said);
      if (name !== key) origin.set(`${section}.${name}`, key);
    }
  }
  return Object.fromEntries(all);
}

/** What one host of a range is said to be. */
function memberOf(said: unknown, path: Path, index: number, count: number, complaints: Complaint[]): unknown {
  if (!isMapping(said)) return said;
  const pick = (value: unknown, at: Path): unknown => {
    if (typeof value !== 'string' || !/[[\]]/.test(value)) return value;
    const [, before = '', range, after = ''] = /^([^[\]]*)(\[[^[\]]*\])([^[\]]*)$/.exec(value) ?? [];
    const values = range === undefined ? undefined : expandName(range);
    if (index === 0 && values?.length !== count) complaints.push(unevenRange(at, value, values?.length, count));
    return values?.length === count ? `${before}${values[index]}${after}` : value;
  };
  const entries = Object.entries(said).map(([key, value]) => {
    if (addresses.includes(key)) return [key, pick(value, [...path, key])] as const;
    if (key !== 'interfaces' || !isMapping(value)) return [key, value] as const;
    return [key, Object.fromEntries(Object.entries(value).map(([nic, one]) => [nic, pick(one, [...path, key, nic])]))] as const;
  });
  if (index === 0 && typeof said.address === 'string' && !said.address.includes('[')) {
    const hint = 'give each its own, with a range such as "10.18.43.[11:30]"';
    complaints.push(fault('wrong-range', [...path, 'address'], `${count} hosts with the one address ${formatValue(said.address)}`, hint));
  }
  return Object.fromEntries(entries);
}

function badRange(at: Path, key: string): Complaint {
  const hint = `a range is [1:20], [01:20], [1:20:2] or [a:f], once in a name, upwards, of at most ${longestRange} hosts`;
  return keyFault('wrong-range', at, `${formatValue(key)} is no range of names`, hint);
}

function unevenRange(at: Path, value: string, has: number | undefined, count: number): Complaint {
  const found = has === undefined ? `${formatValue(value)} holds no range` : `${formatValue(value)} has ${has} values for ${count} hosts`;
  return fault('wrong-range', at, found, `write one of ${count} values, such as "10.18.43.[11:${10 + count}]"`);
}

function twice(at: Path, name: string): Complaint {
  return keyFault(
    'duplicate-host',
    at,
    `the host name ${formatValue(name)} is there twice`,
    'each host has a name of its own: shorten the range',
  );
}

function isMapping(value: unknown): value is Mapping {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
