/** The client's probe of `vip_arp`, for real: ARP over a segment. Other tools' words are in test/golden/checks/vip_arp. */
import { describe, expect, test, vi } from 'vitest';
import { arpAnswers, arpQuestions } from '../../../src/checks/support/arp-answers.ts';
import { heard, telling } from '../../../src/checks/support/said.ts';
import { shells } from '../../support/shells.ts';
import { look } from './fleet.ts';
import { probeSegment, type Segment } from './segment.ts';

vi.setConfig({ testTimeout: 60_000 });

function ask(shell: (typeof shells)[number], segment: Partial<Segment> = {}, ...addresses: readonly string[]) {
  const probed = probeSegment(telling(arpQuestions(addresses)), shell, { pages: [''], ...segment });
  const said = heard(look('probe', probed.stdout));
  if (!said) throw new Error(`the probe did not come to its end: ${probed.stdout}${probed.stderr}`);
  return addresses.map((address) => arpAnswers(said, address));
}

describe.each(shells.map((shell) => ({ name: shell.join(' '), shell })))('$name', ({ shell }) => {
  test('hears who has an address, and that nobody has another', () => {
    expect(ask(shell, {}, '10.18.43.30', '10.18.43.31')).toEqual([
      { nic: 'eth0', macs: ['02:00:00:00:00:20'], obstacle: '' },
      { nic: 'eth0', macs: [], obstacle: '' },
    ]);
  });
});

const [dash] = shells as readonly [(typeof shells)[number]];

test('hears every one of several', () => {
  const second =
    'ip link add link peer0 name second address 02:00:00:00:00:21 up type macvlan mode bridge; ip addr add 10.18.43.30/32 dev second';
  const [answers] = ask(dash, { server: second }, '10.18.43.30');
  expect(answers?.macs.toSorted()).toEqual(['02:00:00:00:00:20', '02:00:00:00:00:21']);
});

test.each([
  ['through a router', 'ip route add 10.18.43.30/32 via 10.18.43.20', 'other-segment'],
  ['its own', 'ip addr add 10.18.43.30/32 dev lo', 'own-address'],
  ['nowhere', 'ip route add unreachable 10.18.43.30/32', 'no-route'],
])('does not ask for an address that is %s', (_, client, obstacle) => {
  expect(ask(dash, { client }, '10.18.43.30')).toMatchObject([{ macs: [], obstacle }]);
});
