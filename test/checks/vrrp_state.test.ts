import { describe, expect, test } from 'vitest';
import vrrpState from '../../src/checks/vrrp_state.ts';
import type { Fleet, Vrrp } from '../../src/model.ts';
import { contextOf, fleet, look } from './support/fleet.ts';

const own = 'address 2: eth0    inet 10.18.43.10/24 scope global eth0\n';
const vip = 'address 3: eth1    inet 10.18.43.30/32 scope global eth1\n';
const carry = 'link eth0 up 0x1003\nlink eth1 up 0x1003\n';
const says = (states: string) => `keepalived answered\n${states}`;
const judge = (said: string, among: Fleet = fleet) => vrrpState.expect([look('dr1', `${said}\n\nend\n`, among)], {}, contextOf(among));

test('a master that has lost its VIP is told', () => {
  expect(judge(`${says('instance lvs\nstate MASTER\n')}${own}${carry}`)).toMatchObject([
    { status: 'fail', host: 'dr1', found: 'dr1 is MASTER in lvs, and has no 10.18.43.30' },
  ]);
});

test('neither master nor backup yet', () => {
  expect(judge(`${says('instance lvs\nstate INIT\n')}${own}${carry}`)[0]?.status).toBe('not-run');
});

test('a fault that only waits for a script to end for the first time is none', () => {
  expect(judge(`${says('instance lvs\nstate FAULT\nuntried 1\n')}${own}${carry}`)[0]?.status).toBe('not-run');
  expect(judge(`${says('instance lvs\nstate FAULT\nuntried 0\n')}${own}${carry}`)[0]).toMatchObject({
    status: 'fail',
    fix: 'journalctl -u keepalived -n 20 on dr1 says why',
  });
});

test('an instance that keepalived does not know', () => {
  expect(judge(`${says('instance old\nstate MASTER\n')}${own}${carry}`)).toMatchObject([
    { status: 'fail', found: 'keepalived of dr1 knows no instance lvs', fix: 'lvsctl deploy' },
  ]);
});

describe('an interface', () => {
  const backup = `${says('instance lvs\nstate BACKUP\n')}${own}`;

  test.each([
    ['heartbeat', 'link eth0 down 0x1002\nlink eth1 up 0x1003', 'eth0 is down'],
    ['of the VIP', 'link eth0 up 0x1003\nlink eth1 lowerlayerdown 0x1003', 'eth1 is lowerlayerdown'],
    ['without carrier', 'link eth0 up 0x1003\nlink eth1 down 0x1003', 'eth1 has no carrier'],
  ])('%s that is down is told, whatever keepalived says', (_, links, found) => {
    expect(judge(`${backup}${links}`)).toMatchObject([{ status: 'fail', found: `dr1 cannot take 10.18.43.30 over, because ${found}` }]);
  });

  test('of the master too', () => {
    expect(judge(`${says('instance lvs\nstate MASTER\n')}${vip}link eth0 down 0x1003\nlink eth1 up 0x1003`)).toMatchObject([
      { status: 'fail', found: 'dr1 has 10.18.43.30, but eth0 has no carrier' },
    ]);
  });

  test('that was not looked at is not taken for one that carries', () => {
    expect(judge(`${backup}link eth0 up 0x1003`)[0]?.status).toBe('not-run');
  });
});

test('the fault of a group is told by the instance that it comes from', () => {
  const [first] = fleet.vrrp?.instances ?? [];
  if (!first) throw new Error('the fleet has no instance');
  const second = {
    ...first,
    instance: 'names',
    id: 52,
    interface: 'eth0',
    addresses: [{ address: '10.18.43.31', prefix: 32, interface: 'eth0' }],
    trackInterfaces: [],
  };
  const vrrp: Vrrp = { instances: [first, second], syncGroups: [{ name: 'both', instances: ['lvs', 'names'] }], scripts: [] };
  const said = `${says('instance lvs\nstate FAULT\ninstance names\nstate FAULT\n')}${own}link eth0 up 0x1003\nlink eth1 down 0x1002`;
  expect(judge(said, { ...fleet, vrrp }).map(({ found }) => found)).toEqual([
    'dr1 cannot take 10.18.43.30 over, because eth1 is down (FAULT in lvs)',
    'dr1 cannot take 10.18.43.31 over, because lvs of its sync group is in FAULT (FAULT in names)',
  ]);
});
