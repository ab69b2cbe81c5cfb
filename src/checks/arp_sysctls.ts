/** Direct routing and tunnels of IPv4: backends keep quiet about the VIP, now and after a reboot. */
import { z } from 'zod';
import { familyOf } from '../inventory/addresses.ts';
import type { Fleet } from '../model.ts';
import { defineCheck, type Finding, type Host, type Look } from '../task.ts';
import { parseSysctls, sysctlProbe } from '../tasks/support/sysctl/probe.ts';
import { type ArpNic, type ArpValue, arpNics, arpProbe, keptValue } from './support/arp.ts';
import { fail, listed, nobodyLooked, pass, unreadable } from './support/finding.ts';
import { heard, telling } from './support/said.ts';
import { vipsKeptBy } from './support/topology.ts';

/** What is right, after the kernel took the larger of `all` and the interface's own value (ip-sysctl, `IN_DEV_MAXCONF`). */
const rules = [
  /** 0, 3 and 4 to 7 answer for an address on lo; 8 answers for nothing at all, the backend's own address included. */
  { key: 'arp_ignore', right: [1, 2], set: 1, expected: 'arp_ignore 1 (or 2)' },
  { key: 'arp_announce', right: [2], set: 2, expected: 'arp_announce 2' },
] as const;

type Rule = (typeof rules)[number];

export default defineCheck({
  summary:
    'On each backend that keeps an IPv4 VIP, arp_ignore and arp_announce are right on every interface, at runtime and after a reboot.',
  params: z.strictObject({}),
  from: ['backend'],
  probe: (_, host, fleet) => (keepsIpv4(host, fleet) ? telling(sysctlProbe([]), arpProbe) : undefined),
  expect: (looks, _, { fleet }) => {
    const expected = listed(rules.map((rule) => rule.expected));
    if (fleet.hosts.length > 0 && !fleet.hosts.some((host) => keepsIpv4(host, fleet))) return [];
    return looks.length === 0 ? [nobodyLooked('backend', fleet, expected)] : looks.flatMap((look) => judgeHost(look, expected));
  },
  example: {},
});

/** IPv6 has neighbour discovery, which answers on the interface that has the address, and on no other. */
function keepsIpv4(host: Host, fleet: Fleet): boolean {
  return vipsKeptBy(host, fleet).some(({ vip }) => familyOf(vip) === 'ipv4');
}

function judgeHost(look: Look, expected: string): readonly Finding[] {
  const said = heard(look);
  const nics = said ? arpNics(said) : [];
  if (nics.length === 0) return [unreadable(look, expected)];
  const { files } = parseSysctls(look.output, []);
  return rules.flatMap((rule) => [
    judge(look.host, rule, nics, (nic) => nic[rule.key], 'now'),
    judge(look.host, rule, nics, (nic) => keptValue(files, nic.name, rule.key), 'after a reboot'),
  ]);
}

function judge({ name }: Host, rule: Rule, nics: readonly ArpNic[], read: (nic: ArpNic) => ArpValue, when: string): Finding {
  const values = nics.map((nic) => ({ nic: nic.name, ...read(nic) }));
  const wrong = values.filter(({ effective }) => !rule.right.some((right) => right === effective));
  const expected = `${rule.expected} on every interface, ${when}`;
  const shown = (wrong.length > 0 ? wrong : values).map(
    ({ nic, effective, because }) => `${effective} on ${nic}${because ? ` (${because})` : ''}`,
  );
  const found = `${rule.key} is ${listed(shown)} ${when}`;
  if (wrong.length === 0) return pass(name, found, expected);
  const key = `net.ipv4.conf.all.${rule.key}`;
  const fix =
    when === 'now'
      ? `sysctl -w ${key}=${rule.set} on ${name}`
      : `${key} = ${rule.set} in /etc/sysctl.d, with no later file saying otherwise; lvsctl deploy does both`;
  const tooMuch = wrong.some(({ effective }) => effective > Math.max(...rule.right));
  return fail(name, found, expected, tooMuch ? `${fix}, and the same value or 0 for ${listed(wrong.map(({ nic }) => nic))}` : fix);
}
