import { expect, it, test } from 'vitest';
import { rangeValues } from '../../../src/inventory/hosts/subscript.ts';
import { parseInventory } from '../../../src/inventory/load.ts';
import { complaintsAbout, edited } from '../base.ts';

const web1 = 'web1: { address: 10.18.43.13 }';
const web2 = '  web2: { address: 10.18.43.14 }\n';

it('one entry for many hosts, each with its own addresses', () => {
  const text = edited(
    [web2, ''],
    [
      web1,
      'web[08:12:2]:\n    address: 10.18.43.[13:15]\n    rip: "10.18.43.[113:117:2]"\n    interfaces: { eth0: "10.18.43.[13:15]/24", eth1: "10.18.43.[113:117:2]/24" }\n    weight: 3\n    vars: { kept: "a[1:3]" }',
    ],
  );
  const { hosts, groups, services } = parseInventory(text, 'web.yaml').fleet;
  expect(groups.backends).toEqual(['web08', 'web10', 'web12']);
  expect(services[0]?.realServers.map(({ rip, weight }) => [rip, weight])).toEqual([
    ['10.18.43.113', 3],
    ['10.18.43.115', 3],
    ['10.18.43.117', 3],
  ]);
  expect(hosts.find(({ name }) => name === 'web10')).toMatchObject({
    address: '10.18.43.14',
    interfaces: [
      { name: 'eth0', addresses: ['10.18.43.14/24'] },
      { name: 'eth1', addresses: ['10.18.43.115/24'] },
    ],
    vars: { kept: 'a[1:3]' },
  });
});

test.each([
  ['1:3', ['1', '2', '3']],
  ['08:11', ['08', '09', '10', '11']],
  ['0:4:2', ['0', '2', '4']],
  ['a:c', ['a', 'b', 'c']],
  ['3:3', ['3']],
  ['3:1', undefined],
  ['08:100', undefined],
  ['a:3', undefined],
  ['1:3:0', undefined],
  ['1-3', undefined],
  ['1:99999', undefined],
  ['', undefined],
])('[%s]', (range, values) => expect(rangeValues(range)).toEqual(values));

const line = (text: string): string => text;

test.each([
  [
    'web[1-2]: { address: "10.18.43.[13:14]" }',
    [
      line(
        'web.yaml:12:3: "web[1-2]" is no range of names; a range is [1:20], [01:20], [1:20:2] or [a:f], once in a name, upwards, of at most 1024 hosts',
      ),
    ],
  ],
  [
    'web[3:5]: { address: "10.18.43.[13:14]" }',
    [line('web.yaml:12:24: "10.18.43.[13:14]" has 2 values for 3 hosts; write one of 3 values, such as "10.18.43.[11:13]"')],
  ],
  [
    'web[3:5]: { address: "10.18.43.[x]" }',
    [line('web.yaml:12:24: "10.18.43.[x]" holds no range; write one of 3 values, such as "10.18.43.[11:13]"')],
  ],
  [
    'web[3:5]: { address: 10.18.43.13 }',
    [line('web.yaml:12:24: 3 hosts with the one address "10.18.43.13"; give each its own, with a range such as "10.18.43.[11:30]"')],
  ],
  [
    'web[1:3]: { address: "10.18.43.[51:53]" }',
    [line('web.yaml:13:3: the host name "web2" is there twice; each host has a name of its own: shorten the range')],
  ],
  [
    'web[3:5]: { address: "10.18.43.[254:256]", wieght: 1 }',
    [
      line(
        'web.yaml:12:24: backends.web5.address is "10.18.43.256"; allowed: an IPv4 or IPv6 address that a host can have, such as 10.18.43.10',
      ),
      line(
        'web.yaml:12:46: unknown key "wieght" in backends.web3; did you mean "weight"? allowed: address, interfaces, ssh, vars, rip, weight',
      ),
    ],
  ],
])('%s', (entry, lines) => expect(complaintsAbout(edited([web1, entry]))).toEqual(lines));
