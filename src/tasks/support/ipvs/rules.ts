/** Rules of IPVS in the language of ipvsadm (`-S`, `-R`): what is wanted, what a file says, what the kernel has, all in one form. */
import type { VirtualServer as ModelServer } from '../../../model.ts';
import { shortAddress } from './kernel-table.ts';

/** As the model says it, and as checked parameters are, whose absent fields may be there as `undefined`. */
export type VirtualServer = Loose<ModelServer>;

type Loose<Value> = Value extends readonly (infer Item)[]
  ? readonly Loose<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Record<never, never> extends Pick<Value, Key> ? Loose<Value[Key]> | undefined : Loose<Value[Key]> }
    : Value;

export interface RuleRow {
  /** `10.18.43.13:80`, `[fd79::13]:80`. */
  readonly server: string;
  /** Words, in the order of their letters; what is the default is left out. */
  readonly options: readonly string[];
}

export interface RuleService {
  /** Words: `-t 10.18.43.30:80`, `-f 7`, `-f 7 -6`. */
  readonly place: readonly string[];
  readonly options: readonly string[];
  readonly rows: readonly RuleRow[];
}

const methods = { dr: '-g', nat: '-m', tun: '-i' } as const;

export function endpoint(address: string, port: number): string {
  const short = shortAddress(address);
  return `${short.includes(':') ? `[${short}]` : short}:${port}`;
}

/** Of a virtual server: its place in the table, in words. */
export function placeOf({ vip, port, protocol, fwmark }: VirtualServer): readonly string[] {
  if (fwmark) return ['-f', String(fwmark.mark), ...(vip.includes(':') ? ['-6'] : [])];
  return [protocol === 'udp' ? '-u' : '-t', endpoint(vip, port)];
}

/** A marked packet keeps its port, unless NAT sends it to another. */
export function serverOf({ fwmark, forward, port: own }: VirtualServer, { rip, port }: { readonly rip: string; readonly port: number }) {
  return endpoint(rip, fwmark && (forward !== 'nat' || port === own) ? 0 : port);
}

/** Forwarding and weight are always said: ipvsadm falls back to direct routing and weight 1. */
export function rowOptions(service: VirtualServer, real: Omit<VirtualServer['realServers'][number], 'host' | 'rip' | 'port'>) {
  const { upperThreshold: upper, lowerThreshold: lower } = real;
  const limits = [...(upper ? ['-x', String(upper)] : []), ...(lower ? ['-y', String(lower)] : [])];
  return inOrder([methods[service.forward], '-w', String(real.weight), ...limits]);
}

export function wantedRules(services: readonly VirtualServer[]): readonly RuleService[] {
  return services.map((service) => {
    const { scheduler, persistence, persistenceGranularity: mask, onePacket, schedulerFlags } = service;
    const sticky = persistence === undefined ? [] : ['-p', String(persistence), ...(mask === undefined ? [] : ['-M', mask])];
    const flags = schedulerFlags.length === 0 ? [] : ['-b', [...schedulerFlags].sort().join(',')];
    const options = inOrder(['-s', scheduler, ...sticky, ...(onePacket ? ['-o'] : []), ...flags]);
    const rows = service.realServers.map((real) => ({ server: serverOf(service, real), options: rowOptions(service, real) }));
    return { place: placeOf(service), options, rows };
  });
}

/** What `ipvsadm -R` reads. */
export function rulesText(rules: readonly RuleService[]): string {
  const lines = rules.flatMap(({ place, options, rows }) => [
    ['-A', ...place, ...options],
    ...rows.map((row) => ['-a', ...place, '-r', row.server, ...row.options]),
  ]);
  return lines.map((words) => `${words.join(' ')}\n`).join('');
}

/** Survives any text: what is no rule is left out. */
export function parseRules(lines: readonly string[]): readonly RuleService[] {
  const services = new Map<string, RuleService & { readonly rows: RuleRow[] }>();
  for (const line of lines) {
    const [, verb = '', place = '', rest = ''] = /^(-[Aa]) (-[tu] [0-9a-f.:[\]]+|-f \d+(?: -6)?)((?: [\w.,:[\]-]+)*)$/.exec(line) ?? [];
    const words = rest.split(' ').filter((word) => word !== '');
    if (verb === '-A') services.set(place, { place: place.split(' '), options: inOrder(words), rows: [] });
    if (verb === '-a' && words[0] === '-r') services.get(place)?.rows.push({ server: words[1] ?? '', options: inOrder(words.slice(2)) });
  }
  return [...services.values()];
}

/** `-S` leaves thresholds out: rows of `-Ln --thresholds`, by place and server, as words of options. */
export function parseThresholds(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  let place = '';
  for (const line of lines) {
    const [, protocol = '', where = '', six] = /^(TCP|UDP|FWM) +(\S+) +(IPv6 )?/.exec(line) ?? [];
    if (protocol !== '') place = `${{ TCP: '-t', UDP: '-u', FWM: '-f' }[protocol]} ${where}${six ? ' -6' : ''}`;
    const [, server = '', upper = '', lower = ''] = /^ +-> (\S+) +(\d+) +(\d+) /.exec(line) ?? [];
    if (server !== '') found.set(`${place} ${server}`, ['-x', upper, '-y', lower]);
  }
  return found;
}

export function withThresholds(rules: readonly RuleService[], limits: ReadonlyMap<string, readonly string[]>): readonly RuleService[] {
  return rules.map((service) => ({
    ...service,
    rows: service.rows.map(({ server, options }) => {
      const more = limits.get(`${service.place.join(' ')} ${server}`) ?? [];
      return { server, options: inOrder([...options, ...more]) };
    }),
  }));
}

const defaults = ['-M 255.255.255.255', '-M 128', '-x 0', '-y 0', '--tun-type ipip'];

/** Each option with its value, sorted; what is the default anyway is left out. */
function inOrder(words: readonly string[]): readonly string[] {
  const pairs: string[][] = [];
  for (const word of words) {
    if (/^--?[A-Za-z]/.test(word)) pairs.push([word]);
    else pairs.at(-1)?.push(word);
  }
  const kept = pairs.map(([option = '', value]) =>
    option === '-b' ? [option, (value ?? '').split(',').sort().join(',')] : [option, ...(value === undefined ? [] : [value])],
  );
  return kept
    .filter((pair) => !defaults.includes(pair.join(' ')))
    .sort(([one = ''], [other = '']) => rank(one) - rank(other))
    .flat();
}

const order = ['-g', '-m', '-i', '-s', '-w', '-p', '-M', '-o', '-b', '-x', '-y'];

function rank(option: string): number {
  const place = order.indexOf(option);
  return place < 0 ? order.length : place;
}

/** For people: `10.18.43.30:80`, `10.18.43.30:53 (UDP)`, `mark 7`. */
export function nameOf(place: readonly string[]): string {
  const [option, where = ''] = place;
  if (option === '-f') return `mark ${where}${place[2] === '-6' ? ' (IPv6)' : ''}`;
  return option === '-u' ? `${where} (UDP)` : where;
}

export function samePlace(one: readonly string[], other: readonly string[]): boolean {
  return one.join(' ') === other.join(' ');
}
