/**
 * A VIP on a director that has it alone, without VRRP. What manages the network takes away what it did not put there (systemd-networkd when
 * it restarts, NetworkManager when it brings a connection up again), so a program of ours keeps the addresses where they belong.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, type PlanContext, refuse, type Sh, sh } from '../task.ts';
import { type InterfaceAddress, parseInterfaceAddresses, wholePrefix } from './support/addresses/interface-address.ts';
import { shortAddress } from './support/ipvs/kernel-table.ts';
import {
  type OwnProgram,
  parseProgram,
  programChanges,
  programProbe,
  programText,
  programTouches,
  type SeenProgram,
  statePath,
} from './support/systemd/own-program.ts';

const address = z.strictObject({
  address: z.union([z.ipv4(), z.ipv6()], { error: 'an IPv4 or IPv6 address' }).describe('The address.'),
  prefix: z.int().min(1).max(128).optional().describe('Length of its prefix; 32, or 128 for IPv6, unless said. A VIP has no other.'),
  interface: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/, 'an interface name')
    .describe('Interface that carries it.'),
});

const params = z.strictObject({
  addresses: z
    .array(address)
    .min(1)
    .refine((all) => new Set(all.map((each) => shortAddress(each.address))).size === all.length, 'each address once')
    .refine((all) => all.every((each) => (each.prefix ?? 0) <= wholePrefix(each.address)), 'IPv4 has prefixes of at most 32')
    .describe('The addresses, each with its interface.'),
});

type Want = z.infer<typeof params>;

interface Seen {
  readonly program: SeenProgram;
  /** What the running program keeps. */
  readonly kept: readonly InterfaceAddress[];
  readonly addresses: readonly InterfaceAddress[];
  readonly devices: readonly string[];
}

const keeper: OwnProgram = {
  name: 'virtual-address',
  description: 'Virtual addresses of the LVS cluster',
  // The rules first: a packet for a VIP without rules would be answered by the director itself.
  after: ['systemd-sysctl.service', 'lvsctl-ipvs.service', 'network.target'],
  reloads: true,
  undoes: true,
  tools: ['ip'],
};
const program = readFileSync(new URL('./support/addresses/virtual-address.bash', import.meta.url), 'utf8');

export default defineTask<Want, Seen>({
  summary: 'Puts VIPs on an interface of a director that has them alone, now and at every boot, whatever manages the network.',
  params,
  touches: (want) => [
    ...placesOf(want).map(({ address, prefix, device }) => `address:${address}/${prefix}@${device}`),
    ...programTouches(keeper),
  ],
  probe: () =>
    lines(
      programProbe(keeper),
      sh`sed -n 's/^kept /kept /p' ${statePath(keeper.name)} 2>/dev/null
for each in /sys/class/net/*; do printf 'device %s\n' "\${each##*/}"; done
ip -o addr show`,
    ),
  parse({ stdout }: Output): Seen {
    const { rest, ...seen } = parseProgram(stdout);
    const said = rest.split('\n');
    const kept = said.flatMap((line) => {
      const [, address = '', prefix = '', device = ''] = /^kept ([0-9a-f.:]+) (\d{1,3}) (\S+)$/.exec(line) ?? [];
      return device === '' ? [] : [{ address, prefix: Number(prefix), device }];
    });
    const devices = said.flatMap((line) => /^device (\S+)$/.exec(line)?.[1] ?? []);
    return { program: seen, kept, addresses: parseInterfaceAddresses(said), devices };
  },
  plan(seen, want, context) {
    const places = placesOf(want);
    for (const place of places) refuseWrong(place, seen, context);
    const text = programText(keeper, `places=(${places.map((place) => `'${wordsOf(place)}'`).join(' ')})`, program);
    return [
      ...places.filter((place) => !isThere(place, seen)).map(add),
      ...programChanges(keeper, seen.program, text, context),
      ...stale(places, seen).map((place) => takeAway(place, 'it is wanted no more')),
      ...wide(places, seen).map((place) => takeAway(place, `its prefix is ${wholePrefix(place.address)}`)),
    ];
  },
  settled: (want) => `${placesOf(want).map(shown).join(', ')}, now and after a reboot`,
  example: { addresses: [{ address: '10.18.43.30', prefix: 32, interface: 'eth0' }] },
});

function placesOf({ addresses }: Want): readonly InterfaceAddress[] {
  return addresses.map(({ address: said, prefix, interface: device }) => ({
    address: shortAddress(said),
    prefix: prefix ?? wholePrefix(said),
    device,
  }));
}

function refuseWrong({ address: vip, prefix, device }: InterfaceAddress, { devices }: Seen, { fleet }: PlanContext): void {
  if (!devices.includes(device)) throw refuse(`there is no interface ${device} for ${vip}`, `interfaces: ${devices.join(', ') || 'none'}`);
  const whole = wholePrefix(vip);
  if (prefix !== whole && fleet.vips.some((each) => shortAddress(each) === vip)) {
    throw refuse(
      `${vip}/${prefix} would make a VIP a member of a network of its own`,
      `a VIP is one address alone: /${whole}; the director's own address on ${device} leads to the network`,
    );
  }
}

function same(one: InterfaceAddress, other: InterfaceAddress): boolean {
  return one.address === other.address && one.prefix === other.prefix && one.device === other.device;
}

function isThere(place: InterfaceAddress, { addresses }: Seen): boolean {
  return addresses.some((each) => same(each, place));
}

/** What an earlier run put there. */
function stale(places: readonly InterfaceAddress[], seen: Seen): readonly InterfaceAddress[] {
  return seen.kept.filter((old) => !places.some((place) => same(old, place)) && isThere(old, seen));
}

/** The address a second time, with another prefix. */
function wide(places: readonly InterfaceAddress[], seen: Seen): readonly InterfaceAddress[] {
  const others = seen.addresses.filter((each) => places.some(({ address: vip, device }) => vip === each.address && device === each.device));
  return others.filter((each) => !places.some((place) => same(each, place)) && !seen.kept.some((old) => same(old, each)));
}

function wordsOf({ address: vip, prefix, device }: InterfaceAddress): string {
  return `${vip} ${prefix} ${device}`;
}

function shown({ address: vip, prefix, device }: InterfaceAddress): string {
  return `${vip}/${prefix} on ${device}`;
}

function add(place: InterfaceAddress): Change {
  return { id: `live:${place.address}`, title: `add ${shown(place)}`, was: '', will: `${shown(place)}\n`, run: addFragment(place) };
}

/** Safe to run again. arping tells neighbours that knew another owner; it need not be there. */
function addFragment({ address: vip, prefix, device }: InterfaceAddress): Sh {
  const place = `${vip}/${prefix}`;
  if (vip.includes(':')) return sh`ip -6 addr replace ${place} dev ${device} nodad preferred_lft 0`;
  return lines(
    sh`ip -4 addr replace ${place} dev ${device} || exit 1`,
    sh`! command -v arping >/dev/null || arping -q -U -c 3 -I ${device} ${vip} >/dev/null 2>&1 || :`,
  );
}

function takeAway(place: InterfaceAddress, why: string): Change {
  const { address: vip, prefix, device } = place;
  return {
    id: `remove:${vip}/${prefix}@${device}`,
    title: `take ${vip}/${prefix} off ${device}: ${why}`,
    was: `${shown(place)}\n`,
    will: '',
    unless: sh`! ip -o addr show dev ${device} | grep -qF ${` ${vip}/${prefix} `}`,
    run: sh`ip addr del ${`${vip}/${prefix}`} dev ${device}`,
    undo: addFragment(place),
    takesAway: true,
    risk: 'lockout',
  };
}
