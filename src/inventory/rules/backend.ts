import type { Host } from '../../model.ts';
import { familyOf, inSubnet } from '../addresses.ts';
import { type Complaint, fault, formatValue, keyFault } from '../complaints.ts';
import { chosenBackends } from '../hosts/entries.ts';
import { didYouMean } from '../nearest.ts';
import { type Draft, networksOf, type Subject } from './draft.ts';

/** Rules about the real servers of one service. */
export function realServerFaults(subject: Subject, draft: Draft): readonly Complaint[] {
  return [nameFaults, familyFaults, weightFaults, thresholdFaults, portFaults, segmentFaults].flatMap((rule) => rule(subject, draft));
}

function nameFaults({ said, index }: Subject, { fleet }: Draft): readonly Complaint[] {
  const at = ['services', index, 'backends'];
  const known = fleet.groups.backends ?? [];
  const { names } = chosenBackends(said.backends);
  if (names?.length === 0) return [keyFault('empty-group', at, 'this service has no backends', 'say all, or at least one name')];
  return (names ?? []).flatMap((name, position) => {
    const place = [...at, Array.isArray(said.backends) ? position : name];
    if (!known.includes(name)) {
      const hint = `${didYouMean(name, known)}backends: ${known.join(', ')}`;
      return [keyFault('unknown-host', place, `no backend is called ${formatValue(name)}`, hint)];
    }
    if (names?.indexOf(name) === position) return [];
    return [fault('duplicate-backend', place, `${name} is listed twice`, 'to send it more, give it a weight: { NAME: { weight: 2 } }')];
  });
}

function weightFaults({ built, index }: Subject): readonly Complaint[] {
  if (built.realServers.length === 0 || built.realServers.some(({ weight }) => weight > 0)) return [];
  const found = 'every backend of this service has weight 0';
  return [fault('no-weight', ['services', index], found, 'nothing would answer: give one of them a weight above 0')];
}

/** A real server is reached by the VIP's family alone: the kernel translates none. */
function familyFaults({ said, built, index }: Subject, { fleet }: Draft): readonly Complaint[] {
  const { names } = chosenBackends(said.backends);
  const family = familyOf(built.vip) === 'ipv4' ? 'IPv4' : 'IPv6';
  const lacking = fleet.hosts.filter(
    ({ name, role }) => role === 'backend' && (names?.includes(name) ?? true) && !built.realServers.some(({ host }) => host === name),
  );
  return lacking.map(({ name }) => {
    const hint = `give ${name} one on an interface, or name the backends of this service`;
    return fault(
      'mixed-families',
      ['services', index, 'vip'],
      `the VIP ${built.vip} is ${family}, but ${name} has no ${family} address`,
      hint,
    );
  });
}

function thresholdFaults({ built, index }: Subject): readonly Complaint[] {
  const crossed = built.realServers.filter(
    ({ lowerThreshold = 0, upperThreshold }) => upperThreshold !== undefined && lowerThreshold > upperThreshold,
  );
  return crossed.map(({ host }) => {
    const found = `the lower threshold of ${host} is above the upper one`;
    return fault(
      'thresholds',
      ['services', index, 'backends', host, 'lower_threshold'],
      found,
      'it gets connections again below the lower one',
    );
  });
}

function portFaults({ built, index }: Subject): readonly Complaint[] {
  if (built.forward === 'nat' && !built.fwmark) return [];
  const moved = built.realServers.filter(({ port }) => port !== built.port);
  return moved.map(({ host, port }) => {
    const found = `${host} has port ${port}, but the service has port ${built.port}`;
    const hint = `${methodNames[built.forward]} packets on as they are: the backend answers on the port of the service`;
    return fault('dr-port', ['services', index, 'backends', host, 'port'], found, hint);
  });
}

function segmentFaults({ built, index }: Subject, { fleet }: Draft): readonly Complaint[] {
  if (built.forward === 'tun') return [];
  if (built.forward === 'nat') return natFaults({ built, index }, fleet);
  return built.realServers.flatMap(({ host, rip }) => {
    const director = fleet.hosts.find((other) => other.role === 'director' && !reaches(other, rip));
    if (!director || firstUse(fleet, host) !== index) return [];
    const found = `${host} (${rip}) lies in no network of ${director.name}: ${networksOf(director)}`;
    const hint = 'direct routing only changes the MAC address: director and backend need a segment in common';
    return [keyFault('dr-segment', ['backends', host], found, hint)];
  });
}

/** What every method does to packets, as the start of a sentence. */
export const methodNames = { dr: 'direct routing passes', tun: 'a tunnel passes', nat: 'a firewall mark passes' } as const;

/** The replies leave by the gateway, which must be a neighbour. */
function natFaults({ built, index }: Pick<Subject, 'built' | 'index'>, fleet: Draft['fleet']): readonly Complaint[] {
  const { nat } = fleet;
  if (!nat || familyOf(nat.gateway.address) !== familyOf(built.vip)) return [];
  const segment = `${nat.gateway.address}/${nat.gateway.prefix}`;
  return built.realServers.flatMap(({ host, rip }) => {
    if (inSubnet(rip, segment) || firstUse(fleet, host) !== index) return [];
    const hint = 'its replies must go through the director: put it on that segment, or take it out of the service';
    return [keyFault('no-route', ['backends', host], `${host} (${rip}) has no route to the gateway ${segment}`, hint)];
  });
}

function reaches(director: Host, rip: string): boolean {
  return director.interfaces.some((nic) => nic.addresses.some((cidr) => inSubnet(rip, cidr)));
}

/** A backend is complained about once, however many services use it. */
function firstUse({ services }: Draft['fleet'], host: string): number {
  return services.findIndex(({ realServers }) => realServers.some((server) => server.host === host));
}
