import type { VirtualServer } from '../model.ts';
import { inSubnet, subnetEdge } from './addresses.ts';
import { realServerFaults } from './backend-rules.ts';
import { type Complaint, fault, keyFault } from './complaints.ts';
import { type Draft, lineOf, type Subject } from './draft.ts';

/** Rules about virtual servers and what is behind them. */
export function serviceFaults(draft: Draft): readonly Complaint[] {
  return draft.shape.services.flatMap((said, index) => {
    const built = draft.fleet.services[index];
    if (!built) return [];
    const subject = { said, built, index };
    return [duplicates, unreachableVip, realServerFaults, sorryFaults, checkFaults].flatMap((rule) => rule(subject, draft));
  });
}

function duplicates({ built, index }: Subject, draft: Draft): readonly Complaint[] {
  const first = draft.fleet.services.findIndex(({ vip, port }) => vip === built.vip && port === built.port);
  if (first === index) return [];
  const found = `the service ${built.vip}:${built.port} is there already ${lineOf(draft, ['services', first, 'vip'])}`;
  return [fault('duplicate-service', ['services', index, 'vip'], found, 'say one service for each VIP and port')];
}

/** One complaint a service: the directors are alike, so what is wrong on one is wrong on all. */
function unreachableVip({ built, index }: Subject, { fleet }: Draft): readonly Complaint[] {
  const nics = fleet.hosts.flatMap((host) => {
    const nic = host.role === 'director' ? host.interfaces.find(({ name }) => name === fleet.vrrp.vipInterface) : undefined;
    return nic ? [{ ...nic, host: host.name }] : [];
  });
  const said = nics.map((nic) => vipProblem(built, nic)).find((problem) => problem !== undefined);
  const hint = 'nobody would ask for it by ARP: take an address of that network which no host has';
  return said === undefined ? [] : [fault('vip-outside', ['services', index, 'vip'], said, hint)];
}

function vipProblem(
  { vip }: VirtualServer,
  nic: { readonly name: string; readonly address: string; readonly host: string },
): string | undefined {
  const place = `${nic.name} on ${nic.host} (${nic.address})`;
  if (!inSubnet(vip, nic.address)) return `the VIP ${vip} lies outside the network of ${place}`;
  const edge = subnetEdge(vip, nic.address);
  return edge && `the VIP ${vip} is the ${edge} address of the network of ${place}`;
}

function sorryFaults({ built, index }: Subject, { fleet }: Draft): readonly Complaint[] {
  const at = ['services', index, 'sorry_server'];
  if (!built.sorryServer) return [];
  const { address, port } = built.sorryServer;
  if (fleet.vips.includes(address)) {
    return [fault('sorry-server', at, `the sorry server ${address} is a VIP`, 'name a host that answers by itself, such as 127.0.0.1')];
  }
  if (port === built.port) return [];
  const found = `the sorry server has port ${port}, but the service has port ${built.port}`;
  return [fault('dr-port', at, found, 'direct routing passes packets on as they are: it answers on the port of the service')];
}

function checkFaults({ said: { check }, index }: Subject): readonly Complaint[] {
  if (!check.tcp || !check.http) return [];
  return [
    keyFault('two-checks', ['services', index, 'check'], 'this check says both tcp and http', 'keep one of them: http looks at more'),
  ];
}
