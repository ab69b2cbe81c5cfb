/** The probes of ports that are only connected to, and of pages by name, for real. */
import { expect, test, vi } from 'vitest';
import { connections } from '../../../src/checks/support/connections.ts';
import { answersOf, requestProbe } from '../../../src/checks/support/requests.ts';
import { heard, telling } from '../../../src/checks/support/said.ts';
import type { Sh } from '../../../src/sh/sh.ts';
import { shells } from '../../support/shells.ts';
import { look } from './fleet.ts';
import { probeSegment, type Segment } from './segment.ts';

vi.setConfig({ testTimeout: 60_000 });

function say(probe: Sh, shell: (typeof shells)[number], segment: Segment) {
  const probed = probeSegment(telling(probe), shell, segment);
  const said = heard(look('probe', probed.stdout));
  if (!said) throw new Error(`the probe did not come to its end: ${probed.stdout}${probed.stderr}`);
  return { refused: said.all('refused'), statuses: answersOf(said, 0).map(({ status }) => status) };
}

const place = { id: 0, address: '10.18.43.30', requests: 2 };
const segment: Segment = { pages: ['never asked for'] };

test.each(shells.map((shell) => [shell.join(' '), shell] as const))('%s: a port takes connections, or refuses them', (_, shell) => {
  expect(say(connections({ ...place, port: 80 }), shell, segment)).toEqual({ refused: [], statuses: [200, 200] });
  expect(say(connections({ ...place, port: 3306 }), shell, segment)).toEqual({ refused: ['0', '0'], statuses: [0, 0] });
});

test('an address that swallows packets is no refusal', () => {
  const swallows = { ...segment, client: 'ip neigh add 10.18.43.99 lladdr 02:00:00:00:00:99 dev eth0' };
  expect(say(connections({ ...place, address: '10.18.43.99', port: 80, requests: 1 }), shells[0] ?? ['sh'], swallows)).toEqual({
    refused: [],
    statuses: [0],
  });
});

test('a name that TLS asks for is looked up nowhere', () => {
  const campaign = { id: 0, vip: '10.18.43.30', requests: 1, markers: ['web1'], sources: [], use: 0 };
  const named = { ...campaign, url: 'http://nowhere.invalid:80/', resolve: 'nowhere.invalid:80:10.18.43.30' };
  expect(say(requestProbe([named]), shells[0] ?? ['sh'], { pages: ['web1'] }).statuses).toEqual([200]);
});
