/** Whoever has the VIP, each director could: its interfaces carry, what it tracks is well, and its keepalived is master or backup. */
import { z } from 'zod';
import type { Fleet, Vrrp, VrrpInstance } from '../model.ts';
import { defineCheck, type Finding, type Look } from '../task.ts';
import { addressesOf, addressProbe } from './support/addresses.ts';
import { fail, listed, nobodyLooked, notRun, pass, unreadable } from './support/finding.ts';
import { linkProbe, linksOf, linkTrouble } from './support/links.ts';
import { heard, telling } from './support/said.ts';
import { statesOf, statesProbe, type VrrpStates } from './support/vrrp-states.ts';

const expected = 'every director has the VIPs or could take them over';

export default defineCheck({
  summary: "Each director's keepalived is master or backup of its VRRP instances, and could take the VIPs over: no interface is down.",
  params: z.strictObject({}),
  from: ['director'],
  probe: (_, __, { vrrp }) =>
    vrrp ? telling(statesProbe, addressProbe, linkProbe([...new Set(vrrp.instances.flatMap(interfacesOf))])) : undefined,
  expect: (looks, _, { fleet }) => {
    if (!fleet.vrrp) return [];
    return looks.length === 0 ? [nobodyLooked('director', fleet, expected)] : looks.flatMap((look) => judgeHost(look, fleet));
  },
  example: {},
});

function interfacesOf({ interface: nic, trackInterfaces, addresses }: VrrpInstance): readonly string[] {
  return [...new Set([nic, ...addresses.map((each) => each.interface), ...trackInterfaces])];
}

/** One director's answer. */
interface Answer {
  readonly host: string;
  readonly addresses: readonly string[];
  readonly links: ReturnType<typeof linksOf>;
  readonly vrrp: VrrpStates;
}

function judgeHost(look: Look, { vrrp }: Fleet): readonly Finding[] {
  const said = heard(look);
  const instances = vrrp?.instances ?? [];
  const links = said ? linksOf(said) : [];
  const addresses = said ? addressesOf(said) : [];
  const unseen = instances.flatMap(interfacesOf).some((nic) => !links.some((link) => link.nic === nic));
  if (!said || said.first('keepalived') === undefined || addresses.length === 0 || unseen) return [unreadable(look, expected)];
  const held = addresses.filter(({ nic }) => nic !== 'lo').map(({ address }) => address);
  const answer: Answer = { host: look.host.name, addresses: held, links, vrrp: statesOf(said) };
  return instances.map((instance) => judgeInstance(instance, answer, vrrp?.syncGroups ?? []));
}

function judgeInstance(instance: VrrpInstance, answer: Answer, groups: Vrrp['syncGroups']): Finding {
  const { host, vrrp, addresses } = answer;
  const state = vrrp.states.get(instance.instance);
  const holds = instance.addresses.some(({ address }) => addresses.includes(address));
  const own = causesOf(instance, answer);
  const causes = own.length > 0 || state !== 'FAULT' ? own : groupCauses(instance, answer, groups);
  if (causes.length > 0 || state === 'FAULT') return disabled(instance, answer, { state, holds, causes });
  if (state === undefined) return unknown(instance, answer);
  const wanted = `${host} is master of ${instance.instance} and has ${vipsOf(instance)}, or is backup and has not`;
  if (state !== 'MASTER' && state !== 'BACKUP')
    return notRun(host, `${host} is ${state} in ${instance.instance}, neither master nor backup yet`, wanted, 'verify again in a minute');
  if (holds === (state === 'MASTER')) {
    return pass(host, `${host} is ${state} in ${instance.instance}; ${listed(interfacesOf(instance))} of it carry`, wanted);
  }
  const found = `${host} is ${state} in ${instance.instance}, and has ${holds ? vipsOf(instance) : `no ${vipsOf(instance)}`}`;
  return fail(host, found, wanted, holds ? removal(instance, host) : `somebody took it away: systemctl restart keepalived on ${host}`);
}

/** keepalived takes away only what it has put there. */
function removal({ addresses }: VrrpInstance, host: string): string {
  const commands = addresses.map(({ address, prefix, interface: nic }) => `ip addr del ${address}/${prefix} dev ${nic}`);
  return `somebody put it there: ${commands.join('; ')} on ${host}`;
}

interface Cause {
  readonly found: string;
  readonly fix: string;
}

/** What makes a fault of this instance, its interfaces first. */
function causesOf(instance: VrrpInstance, { host, links, vrrp }: Answer): readonly Cause[] {
  const mine = links.filter(({ nic }) => interfacesOf(instance).includes(nic));
  const scripts = vrrp.failing.scripts.filter((name) => instance.trackScripts.includes(name));
  const processes = vrrp.failing.processes.filter((name) => instance.trackProcesses.includes(name));
  return [
    ...mine.flatMap((link) => linkTrouble(link, host) ?? []),
    ...scripts.map((name) => ({
      found: `the script ${name} fails`,
      fix: `run ${name} by hand on ${host}, as keepalived.conf says it, and mend what it finds: exit 0 is right`,
    })),
    ...processes.map((name) => ({
      found: `no process is called ${name}`,
      fix: `start ${name} on ${host}: pgrep -x ${name} finds it then`,
    })),
  ];
}

/** The fault of one instance is that of all in its group. */
function groupCauses({ instance }: VrrpInstance, { vrrp }: Answer, groups: Vrrp['syncGroups']): readonly Cause[] {
  const others = groups.filter(({ instances }) => instances.includes(instance)).flatMap(({ instances }) => instances);
  const faulty = others.filter((name) => name !== instance && vrrp.states.get(name) === 'FAULT');
  return faulty.map((name) => ({ found: `${name} of its sync group is in FAULT`, fix: `mend ${name} on this director` }));
}

interface Fault {
  readonly state: string | undefined;
  readonly holds: boolean;
  readonly causes: readonly Cause[];
}

function disabled(instance: VrrpInstance, { host }: Answer, { state, holds, causes }: Fault): Finding {
  const wanted = `${host} has ${vipsOf(instance)}, or could take over`;
  const why = causes.length > 0 ? listed(causes.map(({ found }) => found)) : 'of what keepalived does not tell';
  const fix = causes.map((cause) => cause.fix).join('; ') || `journalctl -u keepalived -n 20 on ${host} says why`;
  const fault = state === 'FAULT' ? ` (FAULT in ${instance.instance})` : '';
  if (holds) return fail(host, `${host} has ${vipsOf(instance)}, but ${why}${fault}`, wanted, fix);
  return fail(host, `${host} cannot take ${vipsOf(instance)} over, because ${why}${fault}`, wanted, fix);
}

function unknown({ instance, addresses }: VrrpInstance, { host, vrrp }: Answer): Finding {
  const wanted = `${host} is master or backup of ${instance}`;
  if (vrrp.process === 'none') return notRun(host, `keepalived does not run on ${host}`, wanted, 'see keepalived_service');
  if (vrrp.states.size === 0)
    return notRun(
      host,
      `keepalived of ${host} did not say what it is; ${listed(addresses.map((each) => each.interface))} carries`,
      wanted,
      `journalctl -u keepalived -n 20 on ${host}`,
    );
  return fail(host, `keepalived of ${host} knows no instance ${instance}`, wanted, 'lvsctl deploy');
}

function vipsOf({ addresses }: VrrpInstance): string {
  return listed(addresses.map(({ address }) => address));
}
