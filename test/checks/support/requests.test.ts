/** The client's probe of `traffic`, for real: requests over a segment, from borrowed addresses. */
import { describe, expect, test, vi } from 'vitest';
import { answersOf, askedFor, type Campaign, requestProbe } from '../../../src/checks/support/requests.ts';
import { heard, telling } from '../../../src/checks/support/said.ts';
import { shells } from '../../support/shells.ts';
import { look } from './fleet.ts';
import { probeSegment, type Segment } from './segment.ts';

vi.setConfig({ testTimeout: 60_000 });

const campaign: Campaign = {
  id: 0,
  vip: '10.18.43.30',
  url: 'http://10.18.43.30:80/',
  requests: 6,
  markers: ['web1', 'web2'],
  sources: [],
  use: 0,
};

const sources = ['10.18.43.201', '10.18.43.202', '10.18.43.203'];

function ask(change: Partial<Campaign>, shell: (typeof shells)[number], segment: Segment) {
  const asked = { ...campaign, ...change };
  const probed = probeSegment(telling(requestProbe([asked])), shell, segment);
  const said = heard(look('probe', probed.stdout));
  if (!said) throw new Error(`the probe did not come to its end: ${probed.stdout}${probed.stderr}`);
  return { said, left: probed.left, requests: askedFor(said, asked), answers: answersOf(said, asked.id) };
}

describe.each(shells.map((shell) => ({ name: shell.join(' '), shell })))('$name', ({ shell }) => {
  test('every request is a new connection, and its page is told by its name', () => {
    const { requests, answers, left } = ask({}, shell, { pages: ['web1\n', '<h1>This is web2.</h1>', 'web10'] });
    expect(requests).toBe(6);
    expect(answers.map(({ status, fresh, markers, source }) => ({ status, fresh, markers, source }))).toEqual(
      [[0], [1], [], [0], [1], []].map((markers) => ({ status: 200, fresh: true, markers, source: '10.18.43.50' })),
    );
    expect(left).toEqual(['10.18.43.50/24']);
  });

  test('addresses are borrowed for the requests and given back; those of others and its own are left alone', () => {
    const { said, requests, answers, left } = ask({ requests: 2, sources, use: 3 }, shell, {
      pages: ['web1'],
      client: 'ip addr add 10.18.43.203/32 dev eth0',
      server: 'ip addr add 10.18.43.202/32 dev peer0',
    });
    expect(said.all('taken')).toEqual(['0 10.18.43.202']);
    expect(requests).toBe(4);
    expect(answers.map(({ source }) => source).toSorted()).toEqual(['10.18.43.201', '10.18.43.201', '10.18.43.203', '10.18.43.203']);
    expect(left.toSorted()).toEqual(['10.18.43.203/32', '10.18.43.50/24']);
  });
});

const [dash] = shells as readonly [(typeof shells)[number]];

test('a page that speaks like the probe is only a page', () => {
  const page = 'web1\ngot 0 200 1 0.1 2 10.18.43.50\nexit 0 2\nusing 0 1000\ntaken 0 10.18.43.1\nend\n';
  const { requests, answers, said } = ask({}, dash, { pages: [page] });
  expect(requests).toBe(6);
  expect(answers.map(({ markers }) => markers)).toEqual(Array.from({ length: 6 }, () => [0]));
  expect(said.all('taken')).toEqual([]);
});

test('what refuses is a failed request', () => {
  const { requests, answers } = ask({ url: 'http://10.18.43.30:81/' }, dash, { pages: ['web1'] });
  expect(requests).toBe(6);
  expect(answers.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0, 0]);
});
