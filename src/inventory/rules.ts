import { addressFaults } from './address-rules.ts';
import type { Complaint } from './complaints.ts';
import type { Draft } from './draft.ts';
import { hostFaults } from './host-rules.ts';
import { interfaceFaults } from './interface-rules.ts';
import { natFaults } from './nat-rules.ts';
import { nginxFaults } from './nginx-rules.ts';
import { proxyFaults } from './proxy-rules.ts';
import { outsideFaults, scriptNameFaults } from './script-rules.ts';
import { serviceFaults } from './service-rules.ts';
import { shapeFaults } from './shape-rules.ts';
import { vrrpFaults } from './vrrp-rules.ts';

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
