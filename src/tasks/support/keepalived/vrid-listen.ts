/**
 * Whether somebody else on the segment has a virtual router id of ours: asked before a keepalived first has it, because two
 * routers of one VRID take each other's adverts for their own, or fall into one another's VIPs. All instances are listened for at once,
 * with what a bare host has: perl, python3 or tcpdump.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { lines, type PlanContext, refuse, type Sh, sh } from '../../../task.ts';
import { shortAddress } from '../ipvs/kernel-table.ts';
import type { InstanceParams } from './vrrp-params.ts';

/** What tells a virtual router from others, and its VIPs. */
type Router = Pick<InstanceParams, 'id' | 'family' | 'interface' | 'advert' | 'addresses'>;

export interface SeenAdvert {
  readonly interface: string;
  readonly family: string;
  readonly id: number;
  readonly version: number;
  readonly source: string;
  readonly addresses: readonly string[];
}

export interface Heard {
  /** False where the host has nothing to listen with. */
  readonly tool: boolean;
  /** Interfaces that were listened on, as `eth0 ipv4`. */
  readonly places: readonly string[];
  readonly adverts: readonly SeenAdvert[];
}

const perl = readFileSync(new URL('./vrid-listen.pl', import.meta.url), 'utf8');
const python = readFileSync(new URL('./vrid-listen.py', import.meta.url), 'utf8');

/** Words of tcpdump, but not the password that it shows too. `timeout` exits 124 when the time was up, not when tcpdump failed. */
const tcpdump: Sh = sh`overhear() {
  case $2 in ipv6) filter='ip6 proto 112' ;; *) filter='ip proto 112' ;; esac
  {
    timeout 4 tcpdump -i "$1" -nn -l -v "$filter"
    [ "$?" -ne 124 ] || printf 'listened\n'
  } | sed -n -e 's/^listened$/listened/p' -e 's/^.* \\([0-9a-f.:]*\\) > [^ ]*: VRRPv\\([23]\\), Advertisement,.* vrid \\([0-9]*\\),.* addrs[(0-9)]*: \\([0-9a-f.:,]*\\).*$/advert \\3 \\2 \\1 \\4/p' |
    sort -u | head -n 200 | while read -r what rest; do printf 'vrrp %s %s %s%s\n' "$what" "$1" "$2" "\${rest:+ $rest}"; done
}
overhear_all() {
  command -v tcpdump >/dev/null && command -v timeout >/dev/null || return 1
  shift
  while [ "$#" -ge 2 ]; do
    overhear "$1" "$2" &
    shift 2
  done
  wait
}`;

/** True in the shell when $held has all of these. */
const holds: Sh = sh`holds() {
  [ -n "\${held-}" ] || return 1
  for id do grep -Eqs "^[[:blank:]]*virtual_router_id[[:blank:]]+$id([^0-9]|\$)" "$held" || return 1; done
}`;

/** Those whose VRID this configuration does not hold. */
export function newcomers<Each extends Pick<Router, 'id'>>(instances: readonly Each[], config: string): readonly Each[] {
  return instances.filter(({ id }) => !new RegExp(`^[ \\t]*virtual_router_id[ \\t]+${id}(?![0-9])`, 'm').test(config));
}

/**
 * Prints what `parseHeard` reads. With a configuration in $held it listens only where that lacks a VRID, which may be nowhere. It takes
 * `listeningSeconds`, and a second or two more where time goes wrong.
 */
export function vridProbe(instances: readonly Router[]): Sh {
  const asked = places(instances).map((place) => {
    const ids = instances.filter((each) => placeOf(each) === place).map(({ id }) => String(id));
    return sh`holds ${ids} || set -- "$@" ${place.split(' ')}`;
  });
  return lines(
    tcpdump,
    holds,
    sh`set --`,
    ...asked,
    sh`if [ $# -gt 0 ]; then
printf 'vrrp listening\n'
set -- ${listeningSeconds(instances)} "$@"
python=${python}
{
  perl -e ${perl} -- "$@" || python3 -c "$python" -- "$@" || /usr/libexec/platform-python -c "$python" -- "$@" || overhear_all "$@" ||
    printf 'vrrp deaf\n'
} 2>/dev/null
fi`,
  );
}

/** Three adverts and a half second, as keepalived waits before it holds a master for dead; one of VRRP's usual second must be heard too. */
export function listeningSeconds(instances: readonly Pick<Router, 'advert'>[]): number {
  const longest = Math.max(...instances.map(({ advert }) => 3 * advert + 0.5));
  return Number(Math.min(4, Math.max(1.5, longest)).toFixed(2));
}

function places(instances: readonly Router[]): readonly string[] {
  return [...new Set(instances.map(placeOf))];
}

function placeOf(each: Pick<Router, 'interface' | 'family'>): string {
  return `${each.interface} ${each.family}`;
}

/** Undefined where the host did not listen, because the keepalived that runs has every VRID already. */
export function parseHeard(said: string): Heard | undefined {
  if (!/^vrrp listening$/m.test(said)) return undefined;
  const all = [...said.matchAll(/^vrrp advert (\S{1,15}) (ipv4|ipv6) (\d{1,3}) (\d{1,2}) ([0-9a-f.:]{2,45}) (-|[0-9a-f.:,]{1,1000})$/gm)];
  return {
    tool: !/^vrrp deaf$/m.test(said),
    places: [...said.matchAll(/^vrrp listened (\S{1,15} ipv[46])$/gm)].map(([, place = '']) => place),
    adverts: all.flatMap(([, nic = '', family = '', id, version, source = '', addresses = '']) => {
      if (isIP(source) === 0) return [];
      const known = addresses.split(',').filter((each) => isIP(each) !== 0);
      return [
        {
          interface: nic,
          family,
          id: Number(id),
          version: Number(version),
          source: shortAddress(source),
          addresses: known.map(shortAddress),
        },
      ];
    }),
  };
}

/** Throws where somebody who is no director of the fleet has a VRID of ours. */
export function refuseForeign({ adverts }: Heard, instances: readonly Router[], context: PlanContext): void {
  const ours = directorAddresses(context);
  const foreign = instances.flatMap((instance) =>
    adverts
      .filter((each) => each.id === instance.id && each.interface === instance.interface && each.family === instance.family)
      .filter((each) => !ours.has(each.source) && !isNeighbour(each, instance)),
  );
  if (foreign.length === 0) return;
  const said = foreign.slice(0, 3).map(({ id, interface: nic, source, addresses }) => {
    const what = addresses.length > 0 ? ` for ${addresses.slice(0, 3).join(', ')}` : '';
    return `VRID ${id} is in use on ${nic}: ${source} sends adverts${what}`;
  });
  const vips = new Set(instances.flatMap((each) => each.addresses.map(({ address }) => shortAddress(address))));
  const kin = foreign.some(({ addresses }) => addresses.some((address) => vips.has(address)));
  const hint = `take another vrrp.id, or stop that router${kin ? '; if it is a director, name that address under its interfaces' : ''}`;
  throw refuse(said.join(', and '), hint);
}

function directorAddresses({ fleet, host, facts }: PlanContext): ReadonlySet<string> {
  const directors = fleet.hosts.filter(({ role, name }) => role === 'director' || name === host.name);
  const said = directors.flatMap(({ address, interfaces }) => [address, ...interfaces.flatMap(({ addresses }) => addresses)]);
  const own = Object.values(facts.interfaces).flatMap(({ addresses }) => addresses);
  return new Set([...said, ...own].map((each) => shortAddress(each.replace(/\/.*$/, ''))));
}

/** IPv6 adverts come from link-local addresses, which no inventory names: who has a VIP of ours there is a director of ours. */
function isNeighbour({ source, addresses }: SeenAdvert, instance: Router): boolean {
  return /^fe[89ab]/.test(source) && instance.addresses.some(({ address }) => addresses.includes(shortAddress(address)));
}

/** What is said of VRIDs that could not be looked for; empty where all were, or nobody had to listen. */
export function notLooked(heard: Heard | undefined, instances: readonly Router[]): string {
  if (!heard) return '';
  const unheard = instances.filter((each) => !heard.places.includes(placeOf(each)));
  if (unheard.length === 0) return '';
  const which = [...new Set(unheard.map(({ id, interface: nic }) => `VRID ${id} on ${nic}`))].join(', ');
  const why = heard.tool ? 'no packets could be taken there' : 'there is no perl, python3 or tcpdump';
  return `not looked whether somebody else has ${which}: ${why}`;
}
