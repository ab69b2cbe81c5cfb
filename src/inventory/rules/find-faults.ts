import type { Complaint } from '../complaints.ts';
import { addressFaults } from './address.ts';
import type { Draft } from './draft.ts';
import { hostFaults } from './host.ts';
import { interfaceFaults } from './interface.ts';
import { natFaults } from './nat.ts';
import { nginxFaults } from './nginx.ts';
import { proxyFaults } from './proxy.ts';
import { outsideFaults, scriptNameFaults } from './script.ts';
import { serviceFaults } from './service.ts';
import { shapeFaults } from './shape.ts';
import { vrrpFaults } from './vrrp.ts';

/** Everything about an inventory that cannot work although each value by itself is right. */
export function findFaults(draft: Draft): readonly Complaint[] {
  const rules = [
    shapeFaults,
    hostFaults,
    addressFaults,
    interfaceFaults,
    vrrpFaults,
    serviceFaults,
    proxyFaults,
    natFaults,
    nginxFaults,
    scriptNameFaults,
    outsideFaults,
  ];
  return rules.flatMap((rule) => rule(draft));
}
