import { familyOf } from '../addresses.ts';
import { saidInstances } from '../build/vrrp.ts';
import { type Complaint, fault, formatValue, keyFault, type Path } from '../complaints.ts';
import { hostEntries } from '../hosts/entries.ts';
import { didYouMean } from '../nearest.ts';
import { type Draft, networksOf } from './draft.ts';
import { pairFaults } from './pair.ts';
import { syncGroupFaults } from './sync-groups.ts';
import { vridFaults } from './vrid.ts';

type Instance = ReturnType<typeof saidInstances>[number][1];

/** An instance as said, its name, and where its words may stand. */
export interface Said {
  readonly name: string;
  readonly said: Instance;
  readonly path: Path;
}

/** Rules about VRRP instances, the VIPs that they own, and what keepalived would change in silence. */
export function vrrpFaults(draft: Draft): readonly Complaint[] {
  const { vrrp } = draft.shape;
  if (!vrrp) return [];
  const all = saidInstances(vrrp).map(([name, said]) => ({ name, said, path: vrrp.instances ? ['vrrp', 'instances', name] : ['vrrp'] }));
  return [
    ...formFaults(draft),
    ...all.flatMap((one) => [...missingFaults(one), ...silentFaults(one, draft), ...scriptFaults(one, draft)]),
    ...vridFaults(all, draft),
    ...ownerFaults(all, draft),
    ...syncGroupFaults(all, draft),
    ...priorityFaults(all, draft),
    ...pairFaults(all, draft),
    ...unicastFaults(draft),
    ...alarmFaults(draft),
  ];
}

function formFaults({ shape: { vrrp } }: Draft): readonly Complaint[] {
  if (!vrrp?.instances) return [];
  if (Object.keys(vrrp.instances).length === 0)
    return [keyFault('empty-group', ['vrrp', 'instances'], 'vrrp.instances is empty', 'name an instance, or say vrrp.id')];
  const words = (['id', 'instance'] as const).filter((word) => vrrp[word] !== undefined);
  return words.map((word) => keyFault('two-forms', ['vrrp', word], `vrrp says both ${word} and instances`, 'each instance says its own'));
}

function missingFaults({ said, path }: Said): readonly Complaint[] {
  const words = [
    ['id', 'a whole number from 1 to 255, unique on the segment'],
    ['interface', 'the interface that carries the heartbeat'],
  ] as const;
  return words
    .filter(([word]) => said[word] === undefined)
    .map(([word, allowed]) => fault('missing', [...path, word], `${[...path, word].join('.')} is missing`, `required: ${allowed}`));
}

/** Where a word of an instance stands: with the instance, or for all of them. */
function placeOf(word: string, { path }: Said, { shape }: Draft): Path {
  const own = path.length > 1 ? (shape.vrrp?.instances?.[String(path[2])] as Readonly<Record<string, unknown>> | undefined) : undefined;
  return own?.[word] === undefined ? ['vrrp', word] : [...path, word];
}

/** What keepalived takes and changes: said to the user instead. */
function silentFaults(one: Said, draft: Draft): readonly Complaint[] {
  const { said, name } = one;
  const built = draft.fleet.vrrp?.instances.find(({ instance }) => instance === name);
  const at = (word: string): Path => placeOf(word, one, draft);
  const faults: Complaint[] = [...advertFaults(said.advert, built?.version, at('advert'))];
  if (built?.version === 3 && said.auth_pass !== undefined) {
    const why = built.family === 'ipv6' ? 'IPv6 has VRRPv3 alone' : 'this is VRRPv3';
    faults.push(
      keyFault(
        'no-authentication',
        at('auth_pass'),
        `${name} has a password, but ${why}, which has none`,
        'take auth_pass away; keepalived would ignore it',
      ),
    );
  }
  if (built?.family === 'ipv6' && said.version === '2') {
    faults.push(fault('wrong-value', at('version'), `${name} is IPv6, which has VRRPv3 alone`, 'say version: "3", or nothing'));
  }
  if (said.preempt_delay !== undefined && built?.mode === 'backup-nopreempt') {
    faults.push(
      keyFault(
        'no-preemption',
        at('preempt_delay'),
        `${name} has a preempt_delay, but never takes the VIPs back`,
        'say mode: master-backup, or take preempt_delay away',
      ),
    );
  }
  if (said.unicast && draft.fleet.hosts.filter(({ role }) => role === 'director').length < 2) {
    faults.push(
      fault(
        'no-peer',
        at('unicast'),
        `${name} is unicast, but there is no other director`,
        'without peers keepalived falls back to multicast in silence',
      ),
    );
  }
  return faults;
}

/** VRRPv2 carries whole seconds, VRRPv3 hundredths, in twelve bits. */
function advertFaults(advert: number | undefined, version: number | undefined, at: Path): readonly Complaint[] {
  if (advert === undefined || version === undefined) return [];
  const wrong = (allowed: string) => [fault('wrong-value', at, `${at.join('.')} is ${advert}`, `allowed: ${allowed}`)];
  if (version === 2) {
    return Number.isInteger(advert) ? [] : wrong('whole seconds from 1 to 255 (VRRPv2 rounds fractions); version: "3" has them');
  }
  if (advert > 40) return wrong('at most 40 seconds, all that VRRPv3 can carry');
  return Number.isInteger(Number((advert * 100).toFixed(6))) ? [] : wrong('hundredths of a second (VRRPv3 rounds anything finer)');
}

function scriptFaults(one: Said, draft: Draft): readonly Complaint[] {
  const known = Object.keys(draft.shape.vrrp?.scripts ?? {});
  const unknown = (one.said.track_scripts ?? []).filter((name) => !known.includes(name));
  return unknown.map((name) =>
    fault(
      'unknown-script',
      placeOf('track_scripts', one, draft),
      `no script is called ${formatValue(name)}`,
      `${didYouMean(name, known)}vrrp.scripts: ${known.join(', ') || 'none'}`,
    ),
  );
}

/** Each VIP belongs to one instance, and an instance has one family. */
function ownerFaults(all: readonly Said[], { fleet }: Draft): readonly Complaint[] {
  const listed = all.flatMap((one) => (one.said.vips ?? []).map((vip, index) => ({ one, vip, at: [...one.path, 'vips', index] })));
  const wrong = listed.flatMap(({ one, vip, at }, index): readonly Complaint[] => {
    if (!fleet.vips.includes(vip))
      return [fault('unknown-vip', at, `no service has the VIP ${vip}`, `VIPs of the services: ${fleet.vips.join(', ')}`)];
    const first = listed.find((other) => other.vip === vip);
    if (first && listed.indexOf(first) < index)
      return [fault('vip-twice', at, `${first.one.name} owns the VIP ${vip} already`, 'a VIP belongs to one instance')];
    if (familyOf(vip) === familyOf(one.said.vips?.[0] ?? vip)) return [];
    return [
      fault(
        'mixed-families',
        at,
        `${one.name} has VIPs of both families`,
        'adverts carry one family: give the other an instance of its own',
      ),
    ];
  });
  const owned = fleet.vrrp?.instances.flatMap(({ addresses }) => addresses.map(({ address }) => address)) ?? [];
  const orphans = fleet.vips.filter((vip) => !owned.includes(vip));
  const names = all.map(({ name }) => name).join(', ');
  const place: Path = all[0]?.path ?? ['vrrp'];
  const lost = orphans.map((vip) =>
    keyFault(
      'vip-orphan',
      place,
      `no VRRP instance owns the VIP ${vip}`,
      `add it to the vips of one of ${names}, or add an instance: one family each`,
    ),
  );
  const doubles = owned.filter((vip, index) => owned.indexOf(vip) < index && !listed.some((each) => each.vip === vip));
  const empty = (fleet.vrrp?.instances ?? []).filter(({ addresses }) => addresses.length === 0);
  return [
    ...wrong,
    ...lost,
    ...doubles.map((vip) =>
      keyFault('vip-twice', place, `several VRRP instances would own the VIP ${vip}`, 'say the vips of each instance'),
    ),
    ...empty.map(({ instance }) =>
      keyFault('no-vip', ['vrrp', 'instances', instance], `the instance ${instance} owns no VIP`, 'say its vips'),
    ),
  ];
}

/** Unicast adverts go from address to address: each director has one of the instance's family where the heartbeat is. */
function unicastFaults({ shape, fleet }: Draft): readonly Complaint[] {
  const unicast = (fleet.vrrp?.instances ?? []).filter((each) => each.unicast);
  return hostEntries(shape).flatMap(({ name, path, said }, index) => {
    const host = fleet.hosts[index];
    if (host?.role !== 'director') return [];
    return unicast.flatMap(({ instance, interface: nic, family }) => {
      // An interface that is not there is said elsewhere.
      if (!host.interfaces.some((each) => each.name === nic) || Object.hasOwn(host.heartbeats ?? {}, instance)) return [];
      const words = family === 'ipv6' ? 'IPv6' : 'IPv4';
      const found = `${instance} is unicast, but ${name} has no ${words} address on ${nic}`;
      const at = said.interfaces ? [...path, 'interfaces'] : path;
      return [keyFault('no-heartbeat', at, found, `give it one there, or take unicast away; its interfaces: ${networksOf(host)}`)];
    });
  });
}

/** The alarm asks by ARP: of an instance that it never asks about it would always be silent. */
function alarmFaults({ fleet: { vrrp } }: Draft): readonly Complaint[] {
  const names = (vrrp?.instances ?? []).filter(({ family }) => family === 'ipv6').map(({ instance }) => instance);
  if (vrrp?.alarm === undefined || names.length === 0) return [];
  const found = `vrrp.alarm asks by ARP, which ${names.join(', ')} has not: IPv6`;
  return [keyFault('no-alarm', ['vrrp', 'alarm'], found, 'take alarm away; lvsctl verify finds two masters of IPv6 too')];
}

/** Every director has a priority in every instance, and no two the same. */
function priorityFaults(all: readonly Said[], draft: Draft): readonly Complaint[] {
  const directors = hostEntries(draft.shape).filter(({ section }) => section === 'directors');
  return directors.flatMap(({ name, path, said }) => {
    if (said.priority === undefined) {
      return [
        fault(
          'missing',
          [...path, 'priority'],
          `${path.join('.')}.priority is missing`,
          'required: a whole number from 1 to 254, best 50 apart from the other directors',
        ),
      ];
    }
    if (typeof said.priority === 'number') return [];
    const names = all.map((one) => one.name);
    const unknown = Object.keys(said.priority).filter((instance) => !names.includes(instance));
    const lacking = names.filter((instance) => !Object.hasOwn(said.priority as object, instance));
    return [
      ...unknown.map((instance) =>
        keyFault(
          'unknown-instance',
          [...path, 'priority', instance],
          `no instance is called ${formatValue(instance)}`,
          `${didYouMean(instance, names)}instances: ${names.join(', ')}`,
        ),
      ),
      ...lacking.map((instance) =>
        keyFault('missing', [...path, 'priority'], `${name} has no priority in ${instance}`, `say one for each of ${names.join(', ')}`),
      ),
    ];
  });
}
