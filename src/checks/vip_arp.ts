/** The client's segment gets one answer to "who has the VIP", by ARP or neighbour discovery: from the director that has it. */
import { z } from 'zod';
import { familyOf } from '../inventory/addresses.ts';
import type { Fleet, Host } from '../model.ts';
import { type CheckContext, defineCheck, type Finding, type Look } from '../task.ts';
import { type ArpAnswers, arpAnswers, arpQuestions } from './support/arp-answers.ts';
import { fail, listed, nobodyLooked, notRun, pass, toolMissing, unreadable } from './support/finding.ts';
import { type NeighbourAnswers, neighbourAnswers, neighbourQuestions } from './support/neighbour-answers.ts';
import { heard, telling } from './support/said.ts';

/** An interface of a host of the inventory. */
interface Owner {
  readonly host: Host;
  readonly nic: string;
  readonly mac: string;
  readonly addresses: readonly string[];
}

export default defineCheck({
  summary:
    "ARP (for IPv6: neighbour discovery) for each VIP is answered on the client's segment by the MAC of its director, and by no other.",
  params: z.strictObject({}),
  from: ['client'],
  probe: (_, __, fleet) =>
    fleet.vips.length > 0
      ? telling(
          of('ipv4', fleet).length > 0 && arpQuestions(of('ipv4', fleet)),
          of('ipv6', fleet).length > 0 && neighbourQuestions(of('ipv6', fleet)),
        )
      : undefined,
  expect: (looks, _, context) => {
    const expected = "each VIP answered by its director's MAC alone";
    if (looks.length === 0) return [nobodyLooked('client', context.fleet, expected)];
    return looks.flatMap((look) => {
      const said = heard(look);
      if (!said) return [unreadable(look, expected)];
      return [
        ...of('ipv4', context.fleet).flatMap((vip) => judgeVip(vip, arpAnswers(said, vip), look, context)),
        ...of('ipv6', context.fleet).flatMap((vip) => judgeVip(vip, neighbourAnswers(said, vip), look, context)),
      ];
    });
  },
  example: {},
});

function of(family: 'ipv4' | 'ipv6', { vips }: Pick<Fleet, 'vips'>): readonly string[] {
  return vips.filter((vip) => familyOf(vip) === family);
}

function judgeVip(vip: string, answers: ArpAnswers | NeighbourAnswers, { host: client }: Look, context: CheckContext): readonly Finding[] {
  const owners = ownersOf(context);
  const holders = owners.filter(
    ({ host, addresses }) => host.role === 'director' && addresses.some((address) => address.split('/', 1)[0] === vip),
  );
  const [holder] = holders;
  const expected =
    holder && holders.length === 1
      ? `${vip} is answered by ${holder.mac} (${holder.nic} of ${holder.host.name}) alone`
      : `${vip} is answered by one director`;
  if (answers.obstacle !== '') return [obstacle(vip, answers, client, expected)];
  if (answers.macs.length === 0) return [silence(vip, client, holder, expected)];
  const unasked = context.fleet.hosts.filter(({ role, name }) => role === 'director' && !context.facts[name]).map(({ name }) => name);
  if (!holder && unasked.length > 0) {
    const fix = `make ${listed(unasked)} reachable, so that it is known who has the VIP`;
    return [notRun(client.name, `${vip} is answered by ${listed(answers.macs)}; ${listed(unasked)} could not be asked`, expected, fix)];
  }
  const answering = holders.filter(({ mac }) => answers.macs.includes(mac));
  if (new Set(answering.map(({ host }) => host.name)).size > 1) return answering.map((each) => rival(vip, each, client, expected));
  const wrong = answers.macs.filter((mac) => !holders.some((each) => each.mac === mac));
  const failures = wrong.map((mac) => intruder(vip, mac, { owner: owners.find((each) => each.mac === mac), client, expected }));
  const blind = 'complete' in answers && !answers.complete;
  // Where only the last answer is kept, another's tells nothing of the holder's.
  const mute =
    holder && !(blind && failures.length > 0) && !answers.macs.some((mac) => mac === holder.mac)
      ? [muted(vip, holder, client, expected)]
      : [];
  if (failures.length + mute.length > 0) return [...failures, ...mute];
  const found = blind
    ? `${client.name} keeps ${listed(answers.macs)} for ${vip} (a second answer would not be seen here without ndisc6 or tcpdump)`
    : `${client.name} got answers for ${vip} from ${listed(answers.macs)} only`;
  return [pass(holder?.host.name ?? client.name, found, expected)];
}

function ownersOf({ fleet, facts }: { readonly fleet: Fleet; readonly facts: CheckContext['facts'] }): readonly Owner[] {
  return fleet.hosts.flatMap((host) =>
    Object.entries(facts[host.name]?.interfaces ?? {}).flatMap(([nic, { mac, addresses }]) =>
      nic === 'lo' ? [] : [{ host, nic, mac: mac.toLowerCase(), addresses }],
    ),
  );
}

function obstacle(vip: string, { obstacle: why, nic }: ArpAnswers, client: Host, expected: string): Finding {
  if (why === 'no-tool') return toolMissing(client, 'arping (or tcpdump)', 'iputils-arping', expected, 'iputils');
  const found = {
    'no-route': `${client.name} has no route to ${vip}`,
    'other-segment': `${client.name} reaches ${vip} through a router`,
    'own-address': `${client.name} has ${vip} itself`,
    failed: `arping failed on ${nic} of ${client.name}`,
    '': '',
  }[why];
  if (why === 'own-address')
    return fail(client.name, found, expected, `ip addr del ${vip} on ${client.name}: it takes the traffic that is meant for the directors`);
  if (why === 'no-route' && familyOf(vip) === 'ipv6')
    return notRun(client.name, found, expected, `a client with IPv6 on the VIP's segment, under "clients:" in the inventory`);
  if (why === 'failed') return notRun(client.name, found, expected, `see why: arping -b -c 1 -I ${nic} ${vip} on ${client.name}`);
  return notRun(client.name, found, expected, `a client on the VIP's segment, under "clients:" in the inventory`);
}

function silence(vip: string, client: Host, holder: Owner | undefined, expected: string): Finding {
  const ipv6 = familyOf(vip) === 'ipv6';
  const found = `nobody answers ${ipv6 ? 'neighbour discovery' : 'ARP'} for ${vip} on the segment of ${client.name}`;
  if (!holder) return fail(client.name, found, expected, 'no director has the VIP: see vip_placement');
  return fail(
    holder.host.name,
    found,
    expected,
    `${holder.nic} of ${holder.host.name} and ${client.name} are not on one segment, or ${ipv6 ? 'a firewall drops ICMPv6' : 'its arp_ignore is above 2'}: ip link; ${ipv6 ? 'ip6tables -S' : 'sysctl -a | grep arp_ignore'}`,
  );
}

interface Seen {
  readonly owner: Owner | undefined;
  readonly client: Host;
  readonly expected: string;
}

function intruder(vip: string, mac: string, { owner, client, expected }: Seen): Finding {
  const found = `${client.name} got an answer for ${vip} from ${mac} (${owner ? `${owner.nic} of ${owner.host.name}` : 'no host of the inventory that was reached'})`;
  if (!owner)
    return fail(
      client.name,
      found,
      expected,
      `find the host with ${mac}: it takes traffic for ${vip}; take the address off it, or set arp_ignore 1 there`,
    );
  const quiet = 'sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2';
  const { name, role } = owner.host;
  if (role === 'backend' && familyOf(vip) === 'ipv6')
    return fail(name, found, expected, `ip addr del ${vip}/128 dev ${owner.nic} on ${name}: on lo it answers nobody; see loopback_vip`);
  if (role === 'backend') return fail(name, found, expected, `${quiet} on ${name}, then arp_sysctls; lvsctl deploy keeps it over a reboot`);
  if (role === 'client') return fail(name, found, expected, `ip addr del ${vip} on ${name}`);
  const has = owner.addresses.length > 0 ? `${quiet} on ${name}, where another interface has the VIP;` : '';
  return fail(name, found, expected, `${has} if ${name} is not the only director with the VIP, see vip_placement`.trim());
}

/** Two directors have the VIP, and both say so. */
function rival(vip: string, { host, nic, mac }: Owner, client: Host, expected: string): Finding {
  const found = `${client.name} got an answer for ${vip} from ${mac} (${nic} of ${host.name}), and from another director`;
  return fail(host.name, found, expected, 'split brain: see vip_placement');
}

function muted(vip: string, { host, nic, mac }: Owner, client: Host, expected: string): Finding {
  return fail(
    host.name,
    `${client.name} got no answer for ${vip} from ${mac} (${nic} of ${host.name})`,
    expected,
    `${nic} of ${host.name} must be on the segment of ${client.name}: ip link show ${nic}`,
  );
}
