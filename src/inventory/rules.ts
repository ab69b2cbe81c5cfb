import { addressFaults } from './address-rules.ts';
import type { Complaint } from './complaints.ts';
import type { Draft } from './draft.ts';
import { hostFaults } from './host-rules.ts';
import { interfaceFaults } from './interface-rules.ts';
import { nginxFaults } from './nginx-rules.ts';
import { serviceFaults } from './service-rules.ts';

/** Everything about an inventory that cannot work although each value by itself is right. */
export function findFaults(draft: Draft): readonly Complaint[] {
  return [hostFaults, addressFaults, interfaceFaults, serviceFaults, nginxFaults].flatMap((rule) => rule(draft));
}
