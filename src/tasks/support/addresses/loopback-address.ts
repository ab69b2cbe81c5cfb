/** An address as `ip` shows it, and the changes that leave a VIP on a device once, as /32 or /128. */
import ipaddr from 'ipaddr.js';
import { type Change, lines, type Sh, sh } from '../../../task.ts';

export interface SeenAddress {
  readonly device: string;
  readonly address: string;
  readonly prefix: number;
  /** `global`, `site`, `link`, `host` or a number. */
  readonly scope: string;
}

/** As `ip` prints it: of several ways to write an IPv6 address, one. */
export function plainAddress(address: string): string {
  return isIPv6(address) ? ipaddr.IPv6.parse(address).toRFC5952String() : address;
}

function isIPv6(address: string): boolean {
  return address.includes(':');
}

/** The mask of a single address. */
export function wholePrefix(address: string): 32 | 128 {
  return isIPv6(address) ? 128 : 32;
}

/** Lines of `ip -o addr show`, each address of a device once; what has another form is left out. */
export function parseAddresses(said: readonly string[]): readonly SeenAddress[] {
  const all = said.flatMap((line) => {
    const [, device = '', address = '', prefix = '', scope = ''] =
      /^\d+: (\S+)\s+inet6? ([\da-f.:]+)(?: peer [\da-f.:]+)?\/(\d+) (?:.* )?scope (\w+) /.exec(line) ?? [];
    return device === '' ? [] : [{ device, address, prefix: Number(prefix), scope }];
  });
  return [...new Map(all.map((each) => [`${each.device} ${each.address}/${each.prefix}`, each])).values()];
}

/** Nothing, `live:ADDRESS` (absent, or too narrow a scope), `mask:ADDRESS` (there with a wider mask), or both. */
export function addressOnly(address: string, device: string, seen: readonly SeenAddress[]): readonly Change[] {
  const whole = wholePrefix(address);
  const here = seen.filter((each) => each.address === address && each.device === device);
  const narrow = here.find(({ prefix, scope }) => prefix === whole && scope !== 'global');
  const right = here.some(({ prefix, scope }) => prefix === whole && scope === 'global');
  const wide = here.filter(({ prefix }) => prefix !== whole);
  return [...(right || wide.length > 0 ? [] : [addChange(address, device, narrow)]), ...wide.map((each) => maskChange(each, right))];
}

function addChange(address: string, device: string, narrow: SeenAddress | undefined): Change {
  const prefix = wholePrefix(address);
  const place = `${address}/${prefix}`;
  return {
    id: `live:${address}`,
    title: narrow ? `give ${place} on ${device} scope global instead of ${narrow.scope}` : `add ${place} to ${device}`,
    was: narrow ? shown(narrow) : '',
    will: shown({ address, device, prefix, scope: 'global' }),
    run: lines(quietFor(address, device), narrow && sh`ip addr del ${place} dev ${device}`, add(address, device)),
    undo: narrow
      ? sh`ip addr del ${place} dev ${device} || :; ip addr replace ${place} dev ${device} scope ${narrow.scope}`
      : del(place, device),
    risk: 'lockout',
  };
}

/** The right one comes before the wrong one goes, so that no connection misses the address. */
function maskChange(wide: SeenAddress, right: boolean): Change {
  const { address, device, prefix } = wide;
  const whole = wholePrefix(address);
  const will = { address, device, prefix: whole, scope: 'global' };
  return {
    id: `mask:${address}/${prefix}`,
    title: `make ${address}/${prefix} on ${device} a /${whole}: with /${prefix} the host takes the whole subnet for its own and answers nobody in it`,
    was: `${shown(wide)}${right ? shown(will) : ''}`,
    will: shown(will),
    run: lines(quietFor(address, device), add(address, device), sh`ip addr del ${`${address}/${prefix}`} dev ${device}`),
    undo: lines(sh`ip addr replace ${`${address}/${prefix}`} dev ${device}`, !right && del(`${address}/${whole}`, device)),
    risk: 'lockout',
  };
}

/** An address that an earlier version of our unit added and that is wanted no more. */
export function takeAway({ address, device }: Pick<SeenAddress, 'address' | 'device'>): Change {
  const prefix = wholePrefix(address);
  const place = `${address}/${prefix}`;
  return {
    id: `stale:${address}@${device}`,
    title: `take ${place} off ${device}: it is no VIP of this host any more`,
    was: shown({ address, device, prefix, scope: 'global' }),
    will: '',
    unless: sh`! ip -o addr show dev ${device} | grep -qF ${` ${place} `}`,
    run: sh`ip addr del ${place} dev ${device}`,
    undo: add(address, device),
    risk: 'lockout',
  };
}

function shown({ address, device, prefix, scope }: SeenAddress): string {
  return `${address}/${prefix} dev ${device} scope ${scope}\n`;
}

/** What follows `ip addr replace`. An IPv6 address is used at once: nobody is asked whether another host, the director, has it too. */
export function addWords(address: string, device: string): readonly string[] {
  return [`${address}/${wholePrefix(address)}`, 'dev', device, 'scope', 'global', ...(isIPv6(address) ? ['nodad'] : [])];
}

/** Safe to run again. */
function add(address: string, device: string): Sh {
  return sh`ip addr replace ${addWords(address, device)}`;
}

function del(place: string, device: string): Sh {
  return sh`ip addr del ${place} dev ${device} 2>/dev/null || :`;
}

/** Says what is missing; an earlier step makes the device, or one that is meant to. */
function quietFor(address: string, device: string): Sh {
  const there = sh`[ -e ${`/sys/class/net/${device}`} ] || { printf '%s\n' ${`there is no interface ${device}`} >&2; exit 1; }`;
  // Neighbour discovery answers only for addresses of the card that it comes by.
  return isIPv6(address) ? there : lines(there, quietArp(device));
}

/** Fails unless every NIC keeps quiet about addresses of other devices: what counts is the greater of `all` and the NIC's own value. */
function quietArp(device: string): Sh {
  return sh`if [ "$(cat /proc/sys/net/ipv4/conf/all/arp_ignore)" = 0 ]; then
  for f in /proc/sys/net/ipv4/conf/*/arp_ignore; do
    n=\${f%/arp_ignore}
    n=\${n##*/}
    case $n in all | default | lo) continue ;; esac
    [ "$n" != ${device} ] && [ "$(cat "$f")" = 0 ] || continue
    printf '%s\n' "arp_ignore is 0 for $n: the host would answer ARP for the VIP; set net.ipv4.conf.all.arp_ignore = 1 first" >&2
    exit 1
  done
fi`;
}
