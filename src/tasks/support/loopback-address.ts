/** An IPv4 address as `ip` shows it, and the changes that leave a VIP on a device once, as /32. */
import { type Change, lines, type Sh, sh } from '../../task.ts';

export interface SeenAddress {
  readonly device: string;
  readonly address: string;
  readonly prefix: number;
  /** `global`, `site`, `link`, `host` or a number. */
  readonly scope: string;
}

/** Lines of `ip -o -4 addr show`, each address of a device once; what has another form is left out. */
export function parseAddresses(said: readonly string[]): readonly SeenAddress[] {
  const all = said.flatMap((line) => {
    const [, device = '', address = '', prefix = '', scope = ''] =
      /^\d+: (\S+)\s+inet ([\d.]+)(?: peer [\d.]+)?\/(\d+) (?:.* )?scope (\w+) /.exec(line) ?? [];
    return device === '' ? [] : [{ device, address, prefix: Number(prefix), scope }];
  });
  return [...new Map(all.map((each) => [`${each.device} ${each.address}/${each.prefix}`, each])).values()];
}

/** Nothing, `live:ADDRESS` (absent, or too narrow a scope), `mask:ADDRESS` (there with a wider mask), or both. */
export function addressOnly(address: string, device: string, seen: readonly SeenAddress[]): readonly Change[] {
  const here = seen.filter((each) => each.address === address && each.device === device);
  const narrow = here.find(({ prefix, scope }) => prefix === 32 && scope !== 'global');
  const right = here.some(({ prefix, scope }) => prefix === 32 && scope === 'global');
  const wide = here.filter(({ prefix }) => prefix !== 32);
  return [...(right || wide.length > 0 ? [] : [addChange(address, device, narrow)]), ...wide.map((each) => maskChange(each, right))];
}

function addChange(address: string, device: string, narrow: SeenAddress | undefined): Change {
  const place = `${address}/32`;
  return {
    id: `live:${address}`,
    title: narrow ? `give ${place} on ${device} scope global instead of ${narrow.scope}` : `add ${place} to ${device}`,
    was: narrow ? shown(narrow) : '',
    will: shown({ address, device, prefix: 32, scope: 'global' }),
    run: lines(quietArp(device), narrow && sh`ip addr del ${place} dev ${device}`, add(place, device)),
    risk: 'lockout',
  };
}

/** The right one comes before the wrong one goes, so that no connection misses the address. */
function maskChange(wide: SeenAddress, right: boolean): Change {
  const { address, device, prefix } = wide;
  const will = { address, device, prefix: 32, scope: 'global' };
  return {
    id: `mask:${address}/${prefix}`,
    title: `make ${address}/${prefix} on ${device} a /32: with /${prefix} the host takes the whole subnet for its own and answers nobody in it`,
    was: `${shown(wide)}${right ? shown(will) : ''}`,
    will: shown(will),
    run: lines(quietArp(device), add(`${address}/32`, device), sh`ip addr del ${`${address}/${prefix}`} dev ${device}`),
    risk: 'lockout',
  };
}

/** An address that an earlier version of our unit added and that is wanted no more. */
export function takeAway({ address, device }: Pick<SeenAddress, 'address' | 'device'>): Change {
  const place = `${address}/32`;
  return {
    id: `stale:${address}@${device}`,
    title: `take ${place} off ${device}: it is no VIP of this host any more`,
    was: shown({ address, device, prefix: 32, scope: 'global' }),
    will: '',
    unless: sh`! ip -o -4 addr show dev ${device} | grep -qF ${` ${place} `}`,
    run: sh`ip addr del ${place} dev ${device}`,
    risk: 'lockout',
  };
}

function shown({ address, device, prefix, scope }: SeenAddress): string {
  return `${address}/${prefix} dev ${device} scope ${scope}\n`;
}

/** Safe to run again. */
function add(place: string, device: string): Sh {
  return sh`ip addr replace ${place} dev ${device} scope global`;
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
