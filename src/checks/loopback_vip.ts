/** Direct routing and tunnels: each backend has the VIP, for itself alone. */
import { z } from 'zod';
import { type CheckContext, defineCheck, type Finding, type Host, type Look } from '../task.ts';
import { addressesOf, addressProbe, cidr, hostPrefix, type InterfaceAddress } from './support/addresses.ts';
import { fail, listed, nobodyLooked, pass, unreadable } from './support/finding.ts';
import { heard, telling } from './support/said.ts';
import { ownAddresses, vipsKeptBy } from './support/topology.ts';

export default defineCheck({
  summary: 'Each backend that gets packets for a VIP has it as a /32 on lo, and lo has nothing wider and no address of the cluster itself.',
  params: z.strictObject({}),
  from: ['backend'],
  probe: (_, host, fleet) => (vipsKeptBy(host, fleet).length > 0 ? telling(addressProbe) : undefined),
  expect: (looks, _, context) => {
    const expected = 'each VIP as a /32 on lo of the backends that serve it without NAT';
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
    ...kept.map(({ vip, tunnel }) => judgeVip(look.host, vip, tunnel, addresses)),
    ...judgeRest(look.host, others, ownAddresses(fleet)),
  ];
}

/** The interfaces that take packets for the VIP without being asked for it by ARP; built by hand it may lie on a dummy as well. */
function quiet(nic: string, tunnel: boolean): boolean {
  return nic === 'lo' || /^dummy\d*$/.test(nic) || (tunnel && nic === 'tunl0');
}

function judgeVip({ name }: Host, vip: string, tunnel: boolean, addresses: readonly InterfaceAddress[]): Finding {
  const places = addresses.filter(({ address }) => address === vip);
  const expected = `${vip}/${hostPrefix(vip)} on lo, scope global`;
  const all = listed(places.map((place) => `${cidr(place)} on ${place.nic}, scope ${place.scope}`));
  const fix = mend(name, vip, tunnel, places);
  const found = places.length === 0 ? `${vip} is not on ${name}` : all;
  return fix === undefined ? pass(name, found, expected) : fail(name, found, expected, fix);
}

/** What puts it right; `undefined` when nothing is wrong. */
function mend(name: string, vip: string, tunnel: boolean, places: readonly InterfaceAddress[]): string | undefined {
  const length = hostPrefix(vip);
  const add = `ip addr replace ${vip}/${length} dev lo`;
  if (places.length === 0) return `${add} on ${name}, once its ARP sysctls are right; lvsctl deploy also keeps it over a reboot`;
  const loud = places.find(({ nic }) => !quiet(nic, tunnel));
  if (loud) return `ip addr del ${cidr(loud)} dev ${loud.nic}; ${add}: on ${loud.nic} it answers ARP in the director's place`;
  const wide = places.find(({ prefix }) => prefix !== length);
  if (wide) return `${add}; ip addr del ${cidr(wide)} dev ${wide.nic}: with /${wide.prefix} the whole subnet is local to ${name}`;
  const narrow = places.find(({ scope }) => scope !== 'global');
  return narrow && `ip addr del ${cidr(narrow)} dev ${narrow.nic}; ip addr add ${cidr(narrow)} dev ${narrow.nic} scope global`;
}

/** A wide address makes its whole subnet local; another host's address on lo makes that host unreachable from here. */
function judgeRest({ name }: Host, addresses: readonly InterfaceAddress[], own: ReadonlyMap<string, string>): readonly Finding[] {
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
