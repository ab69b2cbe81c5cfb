/** Which hosts are worked on side by side, and in which order. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fleet, HostPlan, Seen, Share } from '../../src/model.ts';
import { batchesOf } from '../../src/plan/batches.ts';
import { sh } from '../../src/task.ts';
import { planContext, s0Fleet } from '../support/plan-context.ts';

const host = (name: string, busy = true): readonly HostPlan[] => [
  {
    host: name,
    status: 'planned',
    why: '',
    handlers: [],
    steps: [
      {
        step: { id: '0.0', host: name, play: 0, name: 'n', task: 't', want: {}, notify: [], where: {} },
        status: busy ? 'change' : 'ok',
        why: '',
        changes: busy ? [{ id: 'c', title: 'c', was: '', will: '', run: sh`true` }] : [],
        pendingReboot: [],
      },
    ],
  },
];
const batches = (
  hosts: readonly (readonly HostPlan[])[],
  serial?: readonly Share[],
  seen: Readonly<Record<string, Seen>> = {},
  fleet: Fleet = s0Fleet,
) => batchesOf({ fleet, play: { name: 'p', steps: {}, checks: [], ...(serial && { serial }) }, number: 0, hosts, seen });
const names = (...of: Parameters<typeof batches>) => batches(...of).map((batch) => batch.hosts.map((each) => each.host));

test('every host is in exactly one batch, whatever the sizes', () => {
  const share = fc.oneof(fc.record({ hosts: fc.integer({ min: 1, max: 9 }) }), fc.record({ percent: fc.integer({ min: 1, max: 100 }) }));
  const fleet = fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,4}$/), busy: fc.boolean() }), {
    selector: ({ name }) => name,
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(fleet, fc.array(share, { minLength: 1, maxLength: 4 }), (all, serial) => {
      const found = names(
        all.map(({ name, busy }) => host(name, busy)),
        serial,
      ).flat();
      expect([...found].sort()).toEqual(all.map(({ name }) => name).sort());
      expect(found.filter((name) => all.find((each) => each.name === name)?.busy)).toEqual(
        all.filter(({ busy }) => busy).map(({ name }) => name),
      );
    }),
  );
});

test('hosts that need nothing do not make batches', () => {
  expect(names([host('a', false), host('b'), host('c', false), host('d')], [{ hosts: 1 }])).toEqual([['a', 'b', 'c'], ['d']]);
});

test('the director that holds a VIP comes after its peers', () => {
  const [vip = ''] = s0Fleet.vips;
  const seen = (name: string, address: string): Seen => ({
    host: name,
    reached: true,
    facts: { ...planContext().facts, interfaces: { eth1: { mac: '', addresses: [address] } } },
    outputs: {},
  });
  const both = [host('dr1'), host('dr2')];
  expect(names(both, [{ hosts: 1 }], { dr1: seen('dr1', `${vip}/32`), dr2: seen('dr2', '10.0.0.9/24') })).toEqual([['dr2'], ['dr1']]);
  expect(names(both, [{ hosts: 1 }], { dr1: seen('dr1', '10.0.0.9/24'), dr2: seen('dr2', `${vip}/32`) })).toEqual([['dr1'], ['dr2']]);
  // Real servers carry it all the time, on lo.
  expect(names([host('web1'), host('web2')], [{ hosts: 1 }], { web1: seen('web1', `${vip}/32`) })).toEqual([['web1'], ['web2']]);
});

test('where each director holds some, the one that holds fewer comes first', () => {
  const addresses = ['10.18.43.30', '10.18.43.31', '10.18.43.32'];
  const fleet = { ...s0Fleet, vips: addresses, virtualAddresses: addresses.map((address) => ({ address, prefix: 32, interface: 'eth1' })) };
  const seen = (name: string, held: readonly string[], nic = 'eth1'): Seen => ({
    host: name,
    reached: true,
    facts: { ...planContext().facts, interfaces: { [nic]: { mac: '', addresses: held.map((address) => `${address}/32`) } } },
    outputs: {},
  });
  const two = { dr1: seen('dr1', addresses.slice(0, 2)), dr2: seen('dr2', addresses.slice(2)) };
  expect(names([host('dr1'), host('dr2')], [{ hosts: 1 }], two, fleet)).toEqual([['dr2'], ['dr1']]);
  // A director that is a real server too has them on lo, and is asked by nobody.
  const onLo = { dr1: seen('dr1', addresses, 'lo'), dr2: seen('dr2', addresses.slice(2)) };
  expect(names([host('dr1'), host('dr2')], [{ hosts: 1 }], onLo, fleet)).toEqual([['dr1'], ['dr2']]);
});
