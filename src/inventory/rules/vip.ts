import type { Fleet } from '../../model.ts';
import { inSubnet, subnetEdge } from '../addresses.ts';
import { type Complaint, fault, type Path } from '../complaints.ts';

/** A VIP that nobody would find where it is. One complaint: the directors are alike, so what is wrong on one is wrong on all. */
export function unreachableVip(vip: string, path: Path, { virtualAddresses, hosts }: Fleet): readonly Complaint[] {
  const owner = virtualAddresses.find(({ address }) => address === vip);
  const nics = hosts.flatMap((host) => {
    const nic = host.role === 'director' ? host.interfaces.find(({ name }) => name === owner?.interface) : undefined;
    return nic ? [{ ...nic, host: host.name }] : [];
  });
  const said = nics.map((nic) => vipProblem(vip, nic)).find((problem) => problem !== undefined);
  const routers = said?.includes(' lies outside ') ? '; routed: true, if a router sends it to the director' : '';
  const hint = `nobody would ask for it by ARP: take an address of that network which no host has${routers}`;
  return said === undefined ? [] : [fault('vip-outside', path, said, hint)];
}

function vipProblem(
  vip: string,
  nic: { readonly name: string; readonly addresses: readonly string[]; readonly host: string },
): string | undefined {
  const place = `${nic.name} on ${nic.host} (${nic.addresses.join(', ')})`;
  const network = nic.addresses.find((cidr) => inSubnet(vip, cidr));
  if (network === undefined) return `the VIP ${vip} lies outside the network of ${place}`;
  const edge = subnetEdge(vip, network);
  return edge && `the VIP ${vip} is the ${edge} address of the network of ${place}`;
}
