/** Virtual servers as keepalived writes them. */

import type { ServiceParams } from '../ipvs/virtual-server-params.ts';
import { block, type Part } from './blocks.ts';
import { checker } from './checkers.ts';

export function virtualServerBlock(service: ServiceParams): Part {
  const { vip, port, protocol, fwmark, forward, check, sorryServer, persistence, persistenceGranularity, hysteresis } = service;
  return block(`virtual_server ${fwmark ? `fwmark ${fwmark.mark}` : `${vip} ${port}`}`, [
    `delay_loop ${check.delayLoop}`,
    // A mark has no address that would say it.
    fwmark && vip.includes(':') && 'ip_family inet6',
    `lvs_sched ${service.scheduler}`,
    ...service.schedulerFlags,
    `lvs_method ${forward.toUpperCase()}`,
    persistence !== undefined && `persistence_timeout ${persistence}`,
    persistenceGranularity !== undefined && `persistence_granularity ${persistenceGranularity}`,
    service.onePacket && 'ops',
    // Without it keepalived takes UDP; with a mark it complains.
    !fwmark && `protocol ${protocol.toUpperCase()}`,
    `quorum ${service.quorum}`,
    hysteresis !== undefined && `hysteresis ${hysteresis}`,
    sorryServer && `sorry_server ${place(service, sorryServer.address, sorryServer.port)}`,
    ...service.realServers.map((server) =>
      block(`real_server ${place(service, server.rip, server.port)}`, [
        `weight ${server.weight}`,
        server.upperThreshold !== undefined && `uthreshold ${server.upperThreshold}`,
        server.lowerThreshold !== undefined && `lthreshold ${server.lowerThreshold}`,
        checker(check, server),
      ]),
    ),
  ]);
}

function place(service: ServiceParams, address: string, port: number): string {
  const own = realPort(service, port);
  return own === 0 ? address : `${address} ${own}`;
}

/** With a mark every packet keeps its port, unless NAT is to change it: 0, as in the kernel's table. */
export function realPort({ fwmark, forward, port: own }: Pick<ServiceParams, 'fwmark' | 'forward' | 'port'>, port: number): number {
  return fwmark && (forward !== 'nat' || port === own) ? 0 : port;
}
