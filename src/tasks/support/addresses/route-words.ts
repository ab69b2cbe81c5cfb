/** Routes and the rules that choose them, in the words of `ip`, and what `ip` shows of them. */
import ipaddr from 'ipaddr.js';

export interface WantedRoute {
  /** CIDR, an address, or `default`. */
  readonly to: string;
  readonly via?: string | undefined;
  readonly device?: string | undefined;
  readonly advmss?: number | undefined;
  /** Only for packets with this source; then the route is in a table of its own. */
  readonly from?: string | undefined;
  readonly protocol?: 'tcp' | 'udp' | undefined;
  /** Source port: that of the service which answers. */
  readonly port?: number | undefined;
  readonly table?: number | undefined;
}

export type Family = '-4' | '-6';

export function familyOf({ to, via, from }: WantedRoute): Family {
  return [to, via, from].some((each) => each?.includes(':')) ? '-6' : '-4';
}

/** Plain spelling, as `ip` prints it: `fd00::30`, hosts without their mask. */
function plain(place: string): string {
  const [address = '', prefix] = place.split('/');
  if (place === 'default' || !ipaddr.isValid(address)) return place;
  const parsed = ipaddr.parse(address);
  const whole = parsed.kind() === 'ipv6' ? '128' : '32';
  const text = parsed.kind() === 'ipv6' ? (parsed as ipaddr.IPv6).toRFC5952String() : parsed.toString();
  if (prefix === '0') return 'default';
  return prefix === undefined || prefix === whole ? text : `${text}/${prefix}`;
}

/** Before the main table (32766), after the local one (0). All of ours stand there. */
const preference = { near: '5050', own: '5051' } as const;

/** After `ip -4 route replace`. */
export function routeWords({ to, via, device, advmss, table }: WantedRoute): readonly string[] {
  return [
    plain(to),
    ...(via === undefined ? [] : ['via', plain(via)]),
    ...(device === undefined ? [] : ['dev', device]),
    ...(table === undefined ? [] : ['table', String(table)]),
    ...(advmss === undefined ? [] : ['advmss', String(advmss)]),
  ];
}

/** After `ip -4 rule add`; none without `from`. What the main table knows but by its default route stays as near as it is. */
export function ruleWords({ from, protocol, port, table }: WantedRoute): readonly (readonly string[])[] {
  if (from === undefined || table === undefined) return [];
  const select = [
    ...['from', plain(from)],
    ...(protocol === undefined ? [] : ['ipproto', protocol]),
    ...(port === undefined ? [] : ['sport', String(port)]),
  ];
  return [
    ['pref', preference.near, ...select, 'lookup', 'main', 'suppress_prefixlength', '0'],
    ['pref', preference.own, ...select, 'lookup', String(table)],
  ];
}

/** A line of `ip rule list` in the words of `ruleWords`; undefined where it is none of ours. */
export function seenRule(line: string): readonly string[] | undefined {
  const [, pref, rest = ''] = /^(\d+):\s+(.*\S)\s*$/.exec(line) ?? [];
  return pref === preference.near || pref === preference.own ? ['pref', pref, ...rest.split(/\s+/)] : undefined;
}

/** True when a line of `ip route show` is the route, whatever else it says (`proto`, `metric`). */
export function isRoute(line: string, want: WantedRoute): boolean {
  const words = line.trim().split(/\s+/);
  const after = (key: string) => words[words.indexOf(key) + 1];
  const same = (key: string, value: string | undefined) => (words.includes(key) ? after(key) : undefined) === value;
  return (
    words[0] === plain(want.to) &&
    same('via', want.via && plain(want.via)) &&
    (want.device === undefined || same('dev', want.device)) &&
    same('advmss', want.advmss?.toString())
  );
}
