import { expect, test } from 'vitest';
import syncDaemon from '../../src/checks/sync_daemon.ts';
import { contextOf, fleet, hostNamed, look } from './support/fleet.ts';

const synced = { ...fleet, sync: true };
const own = 'address 2: eth0    inet 10.18.43.10/24 scope global eth0\n';
const vip = 'address 3: eth1    inet 10.18.43.30/32 scope global eth1\n';
const says = (role: string, id = 51, nic = 'eth0') => `daemons 0\ndaemon ${role} sync daemon (mcast=${nic}, syncid=${id}, maxlen=1472)\n`;

function judge(backup: string, master = `${says('master')}connections 40 0`) {
  const looks = [look('dr1', `${own}${backup}\n\nend\n`, synced), look('dr2', `${own}${vip}${master}\n\nend\n`, synced)];
  return syncDaemon.expect(looks, {}, contextOf(synced)).map(({ status, host, found }) => `${status} ${host}: ${found}`);
}

const roles = [
  'pass dr1: the sync daemon of dr1 is backup with syncid 51 on eth0',
  'pass dr2: the sync daemon of dr2 is master with syncid 51 on eth0',
];

test('is looked at where connections are synced alone', () => {
  expect(syncDaemon.probe({}, hostNamed('dr1'), fleet)).toBeUndefined();
  expect(syncDaemon.expect([], {}, contextOf(fleet))).toEqual([]);
});

test('connections that arrive', () => {
  expect(judge(`${says('backup')}age 4000\nconnections 0 38`)).toEqual([...roles, 'pass dr1: dr1 knows 38 connections by sync']);
});

test('none arrives, though the master has some to tell of', () => {
  expect(judge(`${says('backup')}age 4000\nconnections 0 0`)).toEqual([
    ...roles,
    'fail dr1: dr1 knows no connection by sync, dr2 is closing 40 of its own',
  ]);
});

test.each([
  ['the master has few', `${says('backup')}age 4000\nconnections 0 0`, `${says('master')}connections 19 0`],
  ['the backup has just begun', `${says('backup')}age 12\nconnections 0 0`, undefined],
  ['nobody knows when the backup began', `${says('backup')}connections 0 0`, undefined],
  ['the kernel does not tell', `${says('backup')}age 4000`, undefined],
])('none arrives, which proves nothing: %s', (_, backup, master) => {
  expect(judge(backup, master)[2]).toMatch(/^not-run dr1: /);
});

test.each([
  ['no daemon', 'daemons 0\n', 'no sync daemon runs on dr1'],
  ['the other role', says('master'), 'the sync daemon of dr1 is master, not backup'],
  ['another syncid', says('backup', 52), 'the sync daemon of dr1 is backup with syncid 52 on eth0'],
  ['another interface', says('backup', 51, 'eth1'), 'the sync daemon of dr1 is backup with syncid 51 on eth1'],
])('%s', (_, backup, found) => {
  expect(judge(backup)[0]).toBe(`fail dr1: ${found}`);
});

test('what cannot be asked for is not run', () => {
  expect(judge('missing ipvsadm')[0]).toBe('not-run dr1: ipvsadm is not installed here');
  expect(judge('daemons 255')[0]).toBe('not-run dr1: ipvsadm -L --daemon says nothing here');
});
