/** Direct routing and tunnels: each backend has the VIP, for itself alone. Behind NAT or a proxy it has none. */
import { z } from 'zod';
import type { Fleet } from '../model.ts';
import { type CheckContext, defineCheck, type Finding, type Host, type Look } from '../task.ts';
import { addressesOf, addressProbe, cidr, hostPrefix, type InterfaceAddress } from './support/addresses.ts';
import { fail, listed, nobodyLooked, pass, unreadable } from './support/finding.ts';
import { heard, telling } from './support/said.ts';
import { earsOf, type KeptVip, ownAddresses, vipsKeptBy } from './support/topology.ts';

export default defineCheck({
  summary:
    'Each backend has the VIPs that it gets packets for as single addresses on lo (tunl0 behind a tunnel), no others, and lo has nothing wider.',
  params: z.strictObject({}),
  from: ['backend'],
  probe: (_, host, fleet) => (earsOf(host, fleet).length > 0 ? telling(addressProbe) : undefined),
  expect: (looks, _, context) => {
    const expected = 'on each backend the VIPs that it gets packets for, as single addresses on lo, and no others';
    if (looks.length === 0) return [nobodyLooked('backend', context.fleet, expected)];
    return looks.flatMap((look) => judgeHost(look, context, expected));
  },
  example: {},
});

function judgeHost(look: Look, { fleet }: CheckContext, expected: string): readonly Finding[] {
  const said = heard(look);
  const addresses = said ? addressesOf(said) : [];
  if (addresses.length === 0) return [unreadable(look, expected)];
  const kept = vipsKeptBy(look.host, fleet);
  const others = addresses.filter(({ address }) => !kept.some(({ vip }) => vip === address));
  return [
    ...kept.map((vip) => judgeVip(look.host, vip, addresses)),
    ...judgeForeign(look.host, others, fleet, kept.length > 0),
    ...(kept.length > 0 ? judgeRest(look.host, others, fleet) : []),
  ];
}

/** The interfaces that take packets for the VIP without being asked for it by ARP; built by hand it may lie on a dummy as well. */
function quiet(nic: string, { tunnel, device }: KeptVip): boolean {
  return nic === 'lo' || /^dummy\d*$/.test(nic) || (tunnel && nic === device);
}

function judgeVip({ name }: Host, kept: KeptVip, addresses: readonly InterfaceAddress[]): Finding {
  const { vip, device } = kept;
  const places = addresses.filter(({ address }) => address === vip);
  const expected = `${vip}/${hostPrefix(vip)} on ${device}, scope global`;
  const all = listed(places.map((place) => `${cidr(place)} on ${place.nic}, scope ${place.scope}`));
  const fix = mend(name, kept, places);
  const found = places.length === 0 ? `${vip} is not on ${name}` : all;
  return fix === undefined ? pass(name, found, expected) : fail(name, found, expected, fix);
}

/** What puts it right; `undefined` when nothing is wrong. */
function mend(name: string, kept: KeptVip, places: readonly InterfaceAddress[]): string | undefined {
  const { vip, device } = kept;
  const length = hostPrefix(vip);
  const add = `ip addr replace ${vip}/${length} dev ${device}`;
  const first = kept.tunnel ? ' and see tunnel' : length === 32 ? ', once its ARP sysctls are right' : '';
  if (places.length === 0) return `${add} on ${name}${first}; lvsctl deploy also keeps it over a reboot`;
  const loud = places.find(({ nic }) => !quiet(nic, kept));
  const asked = length === 128 ? 'neighbour discovery' : 'ARP';
  if (loud) return `ip addr del ${cidr(loud)} dev ${loud.nic}; ${add}: on ${loud.nic} it answers ${asked} in the director's place`;
  const wide = places.find(({ prefix }) => prefix !== length);
  if (wide) return `${add}; ip addr del ${cidr(wide)} dev ${wide.nic}: with /${wide.prefix} the whole subnet is local to ${name}`;
  const narrow = places.find(({ scope }) => scope !== 'global');
  return narrow && `ip addr del ${cidr(narrow)} dev ${narrow.nic}; ip addr add ${cidr(narrow)} dev ${narrow.nic} scope global`;
}

/** A VIP that no packets come to here: what this host sends to it never leaves, and by ARP it may answer in the director's place. */
function judgeForeign({ name }: Host, others: readonly InterfaceAddress[], fleet: Fleet, keeps: boolean): readonly Finding[] {
  const shared = new Set([...fleet.vips, ...fleet.virtualAddresses.map(({ address }) => address)]);
  const expected = keeps ? `no VIP on ${name} beside those that it serves` : `no VIP on ${name}: packets come to its own address`;
  const failures = others
    .filter(({ address }) => shared.has(address))
    .map((place) => {
      const remove = `ip addr del ${cidr(place)} dev ${place.nic} on ${name}, and out of what sets it at boot`;
      return fail(name, `${name} has ${place.address} on ${place.nic}, and is sent nothing for it`, expected, remove);
    });
  return failures.length > 0 || keeps ? failures : [pass(name, `${name} has no VIP`, expected)];
}

/** A wide address makes its whole subnet local; another host's address on lo makes that host unreachable from here. */
function judgeRest({ name }: Host, addresses: readonly InterfaceAddress[], fleet: Fleet): readonly Finding[] {
  const own = ownAddresses(fleet);
  const expected = 'nothing on lo that is wider than one address, but 127.0.0.0/8, and no address of a director or backend';
  const guests = addresses.filter(({ nic, address }) => nic === 'lo' && !address.startsWith('127.') && address !== '::1');
  const failures = guests.flatMap((guest) => {
    const remove = `ip addr del ${cidr(guest)} dev lo on ${name}, and in what sets it at boot`;
    const owner = own.get(guest.address);
    if (owner !== undefined) return [fail(name, `lo has ${cidr(guest)}, the address of ${owner}`, expected, remove)];
    return guest.prefix < hostPrefix(guest.address)
      ? [fail(name, `lo has ${cidr(guest)}: that whole subnet is local`, expected, remove)]
      : [];
  });
  return failures.length > 0 ? failures : [pass(name, 'lo has no other address of the cluster and no wide one', expected)];
}
