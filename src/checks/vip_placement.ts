/** The VIP on exactly one director, on its interface, as a single address. */
import { z } from 'zod';
import type { Fleet, VirtualAddress } from '../model.ts';
import { type CheckContext, defineCheck, type Finding, type Look } from '../task.ts';
import { addressesOf, addressProbe, cidr, hostPrefix, type InterfaceAddress } from './support/addresses.ts';
import { fail, listed, nobodyLooked, notRun, pass, unreadable } from './support/finding.ts';
import { type Link, linkProbe, linksOf, linkTrouble } from './support/links.ts';
import { heard, telling } from './support/said.ts';

/** One director's answer. */
interface Answer {
  readonly host: string;
  readonly addresses: readonly InterfaceAddress[];
  /** Interfaces that may carry a VIP. */
  readonly links: readonly Link[];
}

export default defineCheck({
  summary:
    'Each VIP is on exactly one director, on the declared interface, with the declared prefix (/32, /128; that of its segment for the gateway of NAT).',
  params: z.strictObject({}),
  from: ['director'],
  probe: (_, __, { virtualAddresses }) => telling(addressProbe, linkProbe([...new Set(virtualAddresses.map((each) => each.interface))])),
  expect: (looks, _, context) => {
    const expected = 'each VIP on exactly one director';
    if (looks.length === 0) return [nobodyLooked('director', context.fleet, expected)];
    const answers = looks.flatMap((look) => readAnswer(look) ?? []);
    const silent = looks.filter((look) => !readAnswer(look)).map((look) => unreadable(look, expected));
    return answers.length === 0 ? silent : [...silent, ...context.fleet.virtualAddresses.flatMap((vip) => judgeVip(vip, answers, context))];
  },
  example: {},
});

function readAnswer(look: Look): Answer | undefined {
  const said = heard(look);
  const addresses = said ? addressesOf(said) : [];
  if (!said || addresses.length === 0) return undefined;
  return { host: look.host.name, addresses, links: linksOf(said) };
}

function judgeVip(place: VirtualAddress, answers: readonly Answer[], { fleet }: CheckContext): readonly Finding[] {
  const { address: vip } = place;
  const holders = answers.filter((answer) => placesOf(vip, answer).length > 0);
  const unasked = fleet.hosts
    .filter(({ role, name }) => role === 'director' && !answers.some(({ host }) => host === name))
    .map(({ name }) => name);
  const expected = `${cidr(place)} on exactly one director, on ${place.interface}`;
  if (holders.length > 1) return holders.map(({ host }) => splitBrain(vip, host, holders, expected, heartbeatOf(vip, fleet)));
  const [holder] = holders;
  if (holder) {
    const placed = judgePlace(place, holder, expected, fleet.vrrp === undefined);
    if (placed.status === 'fail' || unasked.length === 0) return [placed];
    return [
      notRun(
        holder.host,
        `${vip} is on ${holder.host}; ${listed(unasked)} could not be asked`,
        expected,
        `make ${listed(unasked)} reachable`,
      ),
    ];
  }
  if (unasked.length === 0) return answers.map((answer) => nobodyHasIt(place, answer, expected, fleet));
  return answers.map(({ host }) =>
    notRun(host, `${vip} is not here; ${listed(unasked)} could not be asked`, expected, `make ${listed(unasked)} reachable`),
  );
}

/** A VIP on lo is there for packets, not for ARP: a director that is a real server too holds nothing by it. */
function placesOf(vip: string, { addresses }: Answer): readonly InterfaceAddress[] {
  return addresses.filter(({ address, nic }) => address === vip && nic !== 'lo');
}

function judgePlace(place: VirtualAddress, holder: Answer, expected: string, fixed: boolean): Finding {
  const { address: vip, interface: vipInterface } = place;
  const places = placesOf(vip, holder);
  const found = `${listed(places.map((place) => `${cidr(place)} on ${place.nic}`))} of ${holder.host}`;
  if (places.some(({ nic }) => nic !== vipInterface)) {
    const line = `${cidr(place)} dev ${vipInterface}`;
    const fix = fixed
      ? `ip addr add ${line} and ip addr del on the other interface, or static.interface in the inventory`
      : `virtual_ipaddress { ${line} } in keepalived.conf of every director, or vrrp.vip_interface in the inventory`;
    return fail(holder.host, found, expected, fix);
  }
  if (places.some(({ prefix }) => prefix !== place.prefix)) {
    const why = place.prefix === hostPrefix(vip) ? '; a wider prefix makes a second route to the segment' : '';
    const fix = fixed
      ? `ip addr add ${cidr(place)} dev ${vipInterface}, and ip addr del with the other prefix`
      : `write ${cidr(place)} in virtual_ipaddress of every director`;
    return fail(holder.host, found, expected, `${fix}${why}`);
  }
  const link = holder.links.find(({ nic }) => nic === vipInterface);
  const trouble = link && linkTrouble(link, holder.host);
  return trouble ? fail(holder.host, `${found}, but ${trouble.found}`, expected, trouble.fix) : pass(holder.host, found, expected);
}

function splitBrain(vip: string, host: string, holders: readonly Answer[], expected: string, nic: string): Finding {
  const others = listed(holders.map((holder) => holder.host).filter((name) => name !== host));
  const causes = 'a firewall drops IP protocol 112, or virtual_router_id or authentication differ';
  const look = `see whose adverts arrive: tcpdump -c 4 -nni ${nic} ip proto 112`;
  const open = 'let them in: firewall-cmd --add-protocol=vrrp, or firewall: managed in the inventory';
  return fail(
    host,
    `split brain: ${vip} is on ${host} and on ${others}`,
    expected,
    `the directors do not hear each other: ${causes}; ${look}; ${open}`,
  );
}

/** The interface whose adverts tell the directors of each other. */
function heartbeatOf(vip: string, { vrrp, static: fixed }: Fleet): string {
  const owner = vrrp?.instances.find(({ addresses }) => addresses.some(({ address }) => address === vip));
  return owner?.interface ?? fixed?.interface ?? '';
}

function nobodyHasIt(
  { address: vip, prefix, interface: vipInterface }: VirtualAddress,
  { host, links }: Answer,
  expected: string,
  fleet: Fleet,
): Finding {
  const link = links.find(({ nic }) => nic === vipInterface);
  const found = `no director has ${vip}`;
  if (link?.state === 'absent')
    return fail(
      host,
      `${found}; there is no interface ${vipInterface} here`,
      expected,
      `name the right one in the inventory: ${fleet.vrrp ? 'vrrp.vip_interface' : 'static.interface'}, or nat.interface for the gateway`,
    );
  const trouble = link && linkTrouble(link, host);
  if (trouble) return fail(host, `${found}; ${trouble.found}`, expected, trouble.fix);
  const start = 'systemctl start keepalived; if it runs it is in FAULT: journalctl -u keepalived -n 20 says why';
  return fail(
    host,
    found,
    expected,
    fleet.vrrp
      ? start
      : `ip addr add ${vip}/${prefix} dev ${vipInterface}${prefix === 128 ? ' preferred_lft 0' : ''}; lvsctl deploy also keeps it over a reboot`,
  );
}
