import { type Complaint, fault, keyFault } from '../complaints.ts';
import type { Draft } from './draft.ts';

/** Rules about which sections go together. */
export function shapeFaults({ shape, fleet }: Draft): readonly Complaint[] {
  const faults: Complaint[] = [];
  if (!shape.vrrp && !shape.static) {
    const hint = 'required: vrrp: { id: 51, interface: eth0 }, or static: { interface: eth0 } for directors without keepalived';
    faults.push(fault('missing', ['vrrp'], 'vrrp is missing', hint));
  }
  if (shape.vrrp && shape.static) {
    faults.push(
      keyFault(
        'two-forms',
        ['static'],
        'the inventory says both vrrp and static',
        'keepalived would fight with rules set once: keep one of them',
      ),
    );
  }
  if (!shape.services && !shape.proxy)
    faults.push(fault('missing', ['services'], 'services is missing', 'required: at least one service, or proxy: { sites: … }'));
  if (shape.nginx && shape.apache)
    faults.push(
      keyFault('two-servers', ['apache'], 'the inventory says both nginx and apache', 'keep one of them: they want the same port'),
    );
  if (shape.static) faults.push(...staticFaults(shape, fleet));
  return faults;
}

function staticFaults(shape: Draft['shape'], fleet: Draft['fleet']): readonly Complaint[] {
  const directors = fleet.hosts.filter(({ role }) => role === 'director');
  const faults: Complaint[] = [];
  if (directors.length > 1) {
    const found = `there are ${directors.length} static directors, and each would hold the VIPs`;
    faults.push(keyFault('static-pair', ['static'], found, 'say vrrp for several directors, or keep one'));
  }
  if (shape.sync) faults.push(keyFault('static-sync', ['sync'], 'a static director has nobody to copy connections to', 'take sync away'));
  if (shape.keepalived)
    faults.push(keyFault('static-keepalived', ['keepalived'], 'static directors have no keepalived', 'take it away, or say vrrp'));
  return faults;
}
