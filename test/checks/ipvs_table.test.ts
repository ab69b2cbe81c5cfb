import { describe, expect, test } from 'vitest';
import ipvsTable from '../../src/checks/ipvs_table.ts';
import type { Finding, Fleet } from '../../src/model.ts';
import { contextOf, fleet, fleetWith, look, plainFleet } from './support/fleet.ts';

const head = 'table IP Virtual Server version 1.2.1 (size=4096)\n';

function judge(rows: readonly string[], more = 'hz 100\n', among: Fleet = fleet): readonly Finding[] {
  const said = `${head}${rows.map((row) => `table ${row}\n`).join('')}${more}\nend\n`;
  return ipvsTable.expect([look('dr1', said, among)], {}, contextOf(among));
}

const service = 'TCP  0A122B1E:0050 rr  persistent 5000 FFFFFFFF';
const web1 = '  -> 0A122B0D:0050      Route   1      0          0';
const web2 = '  -> 0A122B0E:0050      Route   1      0          0';

const wrong = (findings: readonly Finding[]) => findings.filter(({ status }) => status !== 'pass').map(({ found }) => found);

describe('persistence', () => {
  test('is told in ticks of the kernel', () => {
    expect(wrong(judge([service, web1, web2]))).toEqual([]);
    expect(wrong(judge([service, web1, web2], 'hz 250\n'))).toEqual(['10.18.43.30:80 rr, persistent 20 s']);
    expect(wrong(judge([service.replace('5000', '12500'), web1, web2], 'hz 250\n'))).toEqual([]);
  });

  test.each([5000, 12500, 15000, 50000])('%i ticks may be 50 s where the tick is not known', (ticks) => {
    expect(wrong(judge([service.replace('5000', String(ticks)), web1, web2], ''))).toEqual([]);
  });

  test('there when it should not be, and the other way round', () => {
    expect(wrong(judge([service, web1, web2], 'hz 100\n', plainFleet()))).toEqual(['10.18.43.30:80 rr, persistent 50 s']);
    expect(wrong(judge(['TCP  0A122B1E:0050 rr ', web1, web2]))).toEqual(['10.18.43.30:80 rr, not persistent']);
  });
});

describe('real servers', () => {
  test('weight 0 means drained or failing', () => {
    const [found] = judge([service, web1.replace('  1  ', '  0  '), web2]).filter(({ status }) => status === 'fail');
    expect(found).toMatchObject({ host: 'dr1', found: 'web1 (10.18.43.13:80) in 10.18.43.30:80: dr, weight 0' });
    expect(found?.fix).toMatch(/drained.*inhibit_on_failure.*ipvsadm -e -t 10\.18\.43\.30:80 -r 10\.18\.43\.13:80 -g -w 1/);
  });

  test('another way of forwarding', () => {
    expect(wrong(judge([service, web1.replace('Route ', 'Masq  '), web2]))).toEqual([
      'web1 (10.18.43.13:80) in 10.18.43.30:80: nat, weight 1',
    ]);
    expect(wrong(judge([service, web1, web2], 'hz 100\n', fleetWith({ forward: 'tun' })))).toHaveLength(2);
  });

  test('a director that is its own real server shows as local, whatever was asked for', () => {
    expect(wrong(judge([service, web1.replace('Route ', 'Local '), web2]))).toEqual([]);
  });

  test('the sorry server in their place is called by its name', () => {
    const among = fleetWith({ sorryServer: { address: '127.0.0.1', port: 80 } });
    const said = wrong(judge([service, '  -> 7F000001:0050      Local   1      0          0'], 'hz 100\n', among));
    expect(said.at(-1)).toBe('the sorry server 127.0.0.1:80 serves 10.18.43.30:80: no real server is left');
  });

  test('the log is asked for the one that is missing, and for no other', () => {
    const log =
      'log TCP connection to [10.18.43.13]:tcp:80 success.\nlog TCP connection to [10.18.43.14]:tcp:80 failed.\nlog Remote SMTP server\n';
    expect(wrong(judge([service, web1], `hz 100\n${log}`))).toEqual([
      'web2 (10.18.43.14:80) in 10.18.43.30:80 is missing; keepalived said "TCP connection to [10.18.43.14]:tcp:80 failed."',
    ]);
  });
});

test('what is not in the inventory is told with the command that removes it', () => {
  const findings = judge([service, web1, web2, 'FWM  00000007 wlc ', 'UDP  0A122B1E:0050 rr ', 'TCP  0A122B1F:01BB sh ']);
  expect(
    findings.filter(({ status }) => status === 'fail').map(({ found, fix }) => [found.split(' with')[0], fix.split(' on ')[0]]),
  ).toEqual([
    ['mark 7', 'ipvsadm -D -f 7'],
    ['UDP 10.18.43.30:80', 'ipvsadm -D -u 10.18.43.30:80'],
    ['TCP 10.18.43.31:443', 'ipvsadm -D -t 10.18.43.31:443'],
  ]);
});

test('an IPv6 table is compared by address, not by how it is written', () => {
  const among = plainFleet({ vip: 'fd79::30', realServers: [{ host: 'web1', rip: 'fd79::13', port: 80, weight: 1 }] });
  const full = (last: string) => `[fd79:0000:0000:0000:0000:0000:0000:00${last}]:0050`;
  expect(wrong(judge([`TCP  ${full('30')} rr `, `  -> ${full('13')}      Route   1      0          0`], '', among))).toEqual([]);
});
