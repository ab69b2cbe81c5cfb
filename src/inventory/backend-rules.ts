import type { Host } from '../model.ts';
import { inSubnet } from './addresses.ts';
import { type Complaint, fault, formatValue, keyFault } from './complaints.ts';
import { type Draft, networksOf, type Subject } from './draft.ts';
import { chosenBackends } from './entries.ts';
import { didYouMean } from './nearest.ts';

/** Rules about the real servers of one service. */
export function realServerFaults(subject: Subject, draft: Draft): readonly Complaint[] {
  return [nameFaults, weightFaults, portFaults, segmentFaults].flatMap((rule) => rule(subject, draft));
}

function nameFaults({ said, index }: Subject, { fleet }: Draft): readonly Complaint[] {
  const at = ['services', index, 'backends'];
  const known = fleet.groups.backends ?? [];
  const { names } = chosenBackends(said);
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

function portFaults({ built, index }: Subject): readonly Complaint[] {
  const moved = built.realServers.filter(({ port }) => port !== built.port);
  return moved.map(({ host, port }) => {
    const found = `${host} has port ${port}, but the service has port ${built.port}`;
    const hint = 'direct routing passes packets on as they are: the backend answers on the port of the service';
    return fault('dr-port', ['services', index, 'backends', host, 'port'], found, hint);
  });
}

function segmentFaults({ built, index }: Subject, { fleet }: Draft): readonly Complaint[] {
  return built.realServers.flatMap(({ host, rip }) => {
    const director = fleet.hosts.find((other) => other.role === 'director' && !reaches(other, rip));
    if (!director || firstUse(fleet, host) !== index) return [];
    const found = `${host} (${rip}) lies in no network of ${director.name}: ${networksOf(director)}`;
    const hint = 'direct routing only changes the MAC address: director and backend need a segment in common';
    return [keyFault('dr-segment', ['backends', host], found, hint)];
  });
}

function reaches(director: Host, rip: string): boolean {
  return director.interfaces.some((nic) => inSubnet(rip, nic.address));
}

/** A backend is complained about once, however many services use it. */
function firstUse({ services }: Draft['fleet'], host: string): number {
  return services.findIndex(({ realServers }) => realServers.some((server) => server.host === host));
}
