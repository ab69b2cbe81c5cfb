import { isIPv4 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hexAddress, parseTable } from '../../../../src/tasks/support/ipvs/kernel-table.ts';

const head = [
  'IP Virtual Server version 1.2.1 (size=4096)',
  'Prot LocalAddress:Port Scheduler Flags',
  '  -> RemoteAddress:Port Forward Weight ActiveConn InActConn',
];

const idle = { active: 0, inactive: 0 };

test('reads every kind of virtual server and row that the kernel prints', () => {
  const table = parseTable([
    ...head,
    'TCP  0A122B1E:0050 rr  persistent 5000 FFFFFFFF',
    '  -> 0A122B0D:0050      Route   1      12         3         ',
    '  -> 0A122B0E:1F90      Masq    100    0          0         ',
    'UDP  C0A8004D:0035 rr ops ',
    '  -> 0A122B0A:0035      Local   0      0          0         ',
    'FWM  00000010 wlc ',
    'TCP  [fd79:0000:0000:0000:0000:0000:0000:0001]:1E61 sh ',
    '  -> [fd79:0000:0000:0000:0000:0000:0000:0002]:1E61      Tunnel  1      0          0         ',
  ]);
  expect(table).toEqual([
    {
      protocol: 'TCP',
      address: '10.18.43.30',
      port: 80,
      scheduler: 'rr',
      persistence: 5000,
      granularity: '255.255.255.255',
      rows: [
        { address: '10.18.43.13', port: 80, forward: 'dr', weight: 1, active: 12, inactive: 3 },
        { address: '10.18.43.14', port: 8080, forward: 'nat', weight: 100, ...idle },
      ],
    },
    {
      protocol: 'UDP',
      address: '192.168.0.77',
      port: 53,
      scheduler: 'rr',
      onePacket: true,
      rows: [{ address: '10.18.43.10', port: 53, forward: 'local', weight: 0, ...idle }],
    },
    { protocol: 'FWM', address: '16', port: 0, scheduler: 'wlc', rows: [] },
    {
      protocol: 'TCP',
      address: 'fd79::1',
      port: 7777,
      scheduler: 'sh',
      rows: [{ address: 'fd79::2', port: 7777, forward: 'tun', weight: 1, ...idle }],
    },
  ]);
});

test('an empty table is not the same as no table', () => {
  expect(parseTable(head)).toEqual([]);
  expect(parseTable([])).toBeUndefined();
});

test('an address comes back from its hexadecimal form', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(isIPv4(address)).toBe(true);
      const table = parseTable([...head, `TCP  ${hexAddress(address)}:0050 rr `]);
      expect(table?.[0]?.address).toBe(address);
    }),
  );
});
