/** playbooks/verify.yaml, the list that lvsctl verifies by. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Fleet } from '../../src/model.ts';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { loadRegistry } from '../../src/playbook/registry.ts';
import { fleet, ipv6Fleet, natFleet, plainFleet, proxyFleet, staticFleet } from '../checks/support/fleet.ts';

const registry = await loadRegistry();
const list = loadPlaybook(fileURLToPath(new URL('../../playbooks/verify.yaml', import.meta.url)));
const checksOf = (among: Fleet) => bindPlaybook(list, among, registry).flatMap(({ checks }) => checks.map(({ entry }) => entry.check));

const tunnels = plainFleet({ forward: 'tun' });

test('every check of lvsctl is in it for some cluster, and for none twice', () => {
  const lists = [{ ...fleet, sync: true }, natFleet, tunnels, proxyFleet, staticFleet].map(checksOf);
  expect([...new Set(lists.flat())].toSorted()).toEqual([...registry.checks.keys()].toSorted());
  for (const each of lists) expect(new Set(each).size).toBe(each.length);
});

test('what a cluster has not at all is left out', () => {
  expect(checksOf(fleet)).not.toEqual(expect.arrayContaining(['tunnel']));
  expect(checksOf(ipv6Fleet())).not.toContain('arp_sysctls');
  expect(checksOf(natFleet)).not.toContain('arp_sysctls');
  expect(checksOf(staticFleet)).not.toContain('keepalived_service');
  expect(checksOf(fleet)).not.toContain('nat_path');
  expect(checksOf(fleet)).not.toContain('proxy_service');
  expect(checksOf(fleet)).not.toContain('sync_daemon');
});

test('traffic comes first, so that directors tell what was bound before the client binds it', () => {
  expect(checksOf(fleet)[0]).toBe('traffic');
});
