import { addressOf, inSubnet, prefixOf } from '../addresses.ts';
import { type Complaint, fault, keyFault } from '../complaints.ts';
import type { Draft } from './draft.ts';

/** The gateway of NAT: on the directors' segment, in a length that fits. */
export function natFaults({ shape: { nat, services = [] }, fleet }: Draft): readonly Complaint[] {
  if (!nat) return [];
  if (!services.some(({ forward }) => forward === 'nat'))
    return [keyFault('no-nat', ['nat'], 'no service has forward: nat', 'take nat away, or say forward: nat')];
  const address = addressOf(nat.gateway);
  const lost = fleet.hosts.filter(({ role, interfaces }) => {
    const nic = interfaces.find(({ name }) => name === nat.interface);
    return (
      role === 'director' &&
      nic !== undefined &&
      !nic.addresses.some((cidr) => inSubnet(address, cidr) && prefixOf(cidr) === prefixOf(nat.gateway))
    );
  });
  return lost.slice(0, 1).map(({ name, interfaces }) => {
    const carried = interfaces.find((nic) => nic.name === nat.interface)?.addresses.join(', ');
    return fault(
      'gateway-outside',
      ['nat', 'gateway'],
      `the gateway ${nat.gateway} lies in no network of ${nat.interface} on ${name} (${carried})`,
      'take a free address of that network, with its prefix length',
    );
  });
}
