/** Rules about what tells virtual routers apart. */
import { addressOf, inSubnet } from '../addresses.ts';
import { type Complaint, fault } from '../complaints.ts';
import { type Draft, lineOf } from './draft.ts';
import type { Said } from './vrrp.ts';

/** A VRID tells routers of one segment and family apart, whichever cards lead there. */
export function vridFaults(all: readonly Said[], draft: Draft): readonly Complaint[] {
  return all.flatMap((one, index) => {
    const { id, interface: nic } = one.said;
    if (id === undefined) return [];
    const first = all
      .slice(0, index)
      .find((other) => other.said.id === id && sameFamily(one, other, draft) && sharedSegment(one, other, draft));
    if (!first) return [];
    const where = first.said.interface === nic ? nic : `the network of ${nic}`;
    const found = `the VRID ${id} is taken on ${where}: ${first.name} has it ${lineOf(draft, [...first.path, 'id'])}`;
    return [fault('duplicate-vrid', [...one.path, 'id'], found, 'each instance of a segment has its own')];
  });
}

function sameFamily(one: Said, other: Said, { fleet }: Draft): boolean {
  const family = ({ name }: Said) => fleet.vrrp?.instances.find(({ instance }) => instance === name)?.family;
  return family(one) === family(other);
}

/** Cards with addresses of one network hang on one segment, on one director or on two. */
function sharedSegment(one: Said, other: Said, draft: Draft): boolean {
  if (one.said.interface === other.said.interface) return true;
  const theirs = networks(other, draft);
  return networks(one, draft).some((mine) => theirs.some((each) => inSubnet(addressOf(mine), each) || inSubnet(addressOf(each), mine)));
}

function networks({ said }: Said, { fleet: { hosts } }: Draft): readonly string[] {
  const nics = hosts.flatMap(({ role, interfaces }) => (role === 'director' ? interfaces : []));
  return nics.flatMap(({ name, addresses }) => (name === said.interface ? addresses : []));
}
