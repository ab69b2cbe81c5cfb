import { describe, expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import virtualAddress from '../../src/tasks/virtual_address.ts';
import { goldenCases, outputOf } from '../support/golden.ts';
import { planContext } from '../support/plan-context.ts';

const want = virtualAddress.params.parse({ addresses: [{ address: '10.18.43.30', prefix: 32, interface: 'eth0' }] });
const [settled = ''] = goldenCases()
  .filter(({ task, name }) => task === 'virtual_address' && name === 'settled')
  .map(({ golden }) => outputOf(golden).stdout);
const vip = /^2: eth0 +inet 10\.18\.43\.30\/32 .*\n/m;
const plan = (stdout: string, params = want) =>
  virtualAddress.plan(virtualAddress.parse({ stdout, stderr: '', exit: 0 }, params), params, planContext({ host: 'dr1' }));
const ids = (stdout: string, params = want) => plan(stdout, params).map(({ id }) => id);

test('the record holds the address that the tests take away', () => {
  expect(settled).toMatch(vip);
  expect(ids(settled)).toEqual([]);
});

describe('now and after a reboot', () => {
  test('are compared apart', () => {
    expect(ids(settled.replace(vip, ''))).toEqual(['live:10.18.43.30']);
    expect(ids(settled.replace('UnitFileState=enabled', 'UnitFileState=disabled'))).toEqual(['persisted:lvsctl-virtual-address.service']);
    expect(ids(settled.replace(/^running .*\n/m, ''))).toEqual(['live:lvsctl-virtual-address.service']);
  });

  test('a program that runs with other addresses is told, not stopped: no address blinks', () => {
    const two = virtualAddress.params.parse({ addresses: [...want.addresses, { address: 'fd79::30', interface: 'eth0' }] });
    const changes = plan(settled, two);
    expect(changes.map(({ id }) => id)).toEqual([
      'live:fd79::30',
      'content:/usr/local/lib/lvsctl/virtual-address',
      'live:lvsctl-virtual-address.service',
    ]);
    expect(renderSh(changes.at(-1)?.run ?? { parts: [] }, String)).toMatch(/systemctl reload/);
  });
});

describe('what is not wanted', () => {
  test('an address that an earlier run put there goes last, and only after the program knows', () => {
    const moved = virtualAddress.params.parse({ addresses: [{ address: '10.18.43.31', interface: 'eth0' }] });
    expect(ids(settled, moved).at(-1)).toBe('remove:10.18.43.30/32@eth0');
    expect(plan(settled, moved).at(-1)).toMatchObject({ takesAway: true });
  });

  test('the mask of the network on a VIP is taken away when it is there, and refused when it is wanted', () => {
    const also = settled.replace(
      vip,
      (line) => `${line}2: eth0    inet 10.18.43.30/24 scope global secondary eth0\\       valid_lft forever\n`,
    );
    expect(ids(also)).toEqual(['remove:10.18.43.30/24@eth0']);
    const wide = virtualAddress.params.parse({ addresses: [{ address: '10.18.43.30', prefix: 24, interface: 'eth0' }] });
    expect(() => plan(settled, wide)).toThrow(/10\.18\.43\.30\/24/);
  });

  test('another address of the host keeps its mask: the gateway of NAT has that of its segment', () => {
    const gateway = virtualAddress.params.parse({ addresses: [...want.addresses, { address: '10.0.0.1', prefix: 24, interface: 'eth0' }] });
    expect(ids(settled, gateway)).toContain('live:10.0.0.1');
  });
});

test('an interface that is not there is refused by name', () => {
  const other = virtualAddress.params.parse({ addresses: [{ address: '10.18.43.30', interface: 'eth7' }] });
  expect(() => plan(settled, other)).toThrow(/no interface eth7/);
});
