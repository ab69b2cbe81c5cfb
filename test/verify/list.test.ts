/** playbooks/verify.yaml, the list that lvsctl verifies by. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { loadRegistry } from '../../src/playbook/registry.ts';
import { fleet } from '../checks/support/fleet.ts';

const registry = await loadRegistry();
const list = loadPlaybook(fileURLToPath(new URL('../../playbooks/verify.yaml', import.meta.url)));
const entries = bindPlaybook(list, fleet, registry).flatMap(({ checks }) => checks);

test('every check of lvsctl is in it, once, with parameters that it takes', () => {
  expect(entries.map(({ entry }) => entry.check).toSorted()).toEqual([...registry.checks.keys()].toSorted());
});

test('traffic comes first, so that directors tell what was bound before the client binds it', () => {
  expect(entries[0]?.entry.check).toBe('traffic');
});
