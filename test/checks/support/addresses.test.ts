import { expect, test } from 'vitest';
import { addressesOf } from '../../../src/checks/support/addresses.ts';
import { heard } from '../../../src/checks/support/said.ts';
import { look } from './fleet.ts';

function read(...printed: readonly string[]) {
  const said = heard(look('web1', `${printed.map((line) => `address ${line}\n`).join('')}\nend\n`));
  return said && addressesOf(said);
}

test.each([
  [
    'plain',
    '2: eth0    inet 10.18.43.13/24 brd 10.18.43.255 scope global dynamic noprefixroute eth0\\       valid_lft 60sec preferred_lft 60sec',
    ['eth0', '10.18.43.13', 24, 'global'],
  ],
  ['of old iproute2, with a label', '1: lo    inet 10.18.43.30/32 scope global lo:0', ['lo', '10.18.43.30', 32, 'global']],
  [
    'point to point',
    '7: tun0    inet 10.8.0.1 peer 10.8.0.2/32 scope global tun0\\       valid_lft forever',
    ['tun0', '10.8.0.1', 32, 'global'],
  ],
  ['IPv6', '1: lo    inet6 ::1/128 scope host noprefixroute \\       valid_lft forever preferred_lft forever', ['lo', '::1', 128, 'host']],
  ['secondary', '2: eth0.100    inet 10.0.0.9/8 scope link secondary eth0.100', ['eth0.100', '10.0.0.9', 8, 'link']],
])('reads an address: %s', (_, line, [nic, address, prefix, scope]) => {
  expect(read(line)).toEqual([{ nic, address, prefix, scope }]);
});

test('what is no address is left out', () => {
  expect(read('2: eth0: <BROADCAST,UP> mtu 1500', '', 'inet 1.2.3.4/8 scope global')).toEqual([]);
});
