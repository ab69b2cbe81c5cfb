/** Datagrams over a segment, for real: bash is asked from every shell. */
import { describe, expect, test, vi } from 'vitest';
import { type Datagrams, datagrams, dnsQuestion } from '../../../src/checks/support/datagrams.ts';
import { answersOf } from '../../../src/checks/support/requests.ts';
import { heard, telling } from '../../../src/checks/support/said.ts';
import { shells } from '../../support/shells.ts';
import { look } from './fleet.ts';
import { probeSegment } from './segment.ts';

vi.setConfig({ testTimeout: 60_000 });

const question: Datagrams = { id: 3, address: '10.18.43.20', port: 53, requests: 4, markers: ['web1', 'web2'] };

function ask(change: Partial<Datagrams>, shell: (typeof shells)[number], pages: readonly string[]) {
  const probed = probeSegment(telling(datagrams({ ...question, ...change })), shell, { pages });
  const said = heard(look('probe', probed.stdout));
  if (!said) throw new Error(`the probe did not come to its end: ${probed.stdout}${probed.stderr}`);
  return answersOf(said, 3).map(({ status, markers }) => ({ status, markers }));
}

describe.each(shells.map((shell) => ({ name: shell.join(' '), shell })))('$name', ({ shell }) => {
  test('each datagram is one question, and its answer is told by the name in it', () => {
    expect(ask({}, shell, ['web1', 'this is web2\n', 'web10 and more\n'])).toEqual([
      { status: 200, markers: [0] },
      { status: 200, markers: [1] },
      { status: 200, markers: [] },
      { status: 200, markers: [0] },
    ]);
  });
});

const [dash] = shells as readonly [(typeof shells)[number]];

test('an answer is taken whole, however long it is', () => {
  expect(ask({ requests: 2 }, dash, [`${'long '.repeat(250)}web1`, `web2 ${'\0'.repeat(900)}`])).toEqual([
    { status: 200, markers: [0] },
    { status: 200, markers: [1] },
  ]);
});

test('no answer is a failed question, within two seconds, and the others count', () => {
  const before = Date.now();
  expect(ask({}, dash, ['web1', 'silence']).map(({ status }) => status)).toEqual([200, 0, 200, 0]);
  expect(Date.now() - before).toBeLessThan(8000);
});

test('what refuses is a failed question', () => {
  expect(ask({ port: 54 }, dash, ['web1']).map(({ status }) => status)).toEqual([0, 0, 0, 0]);
});

test('more than forty are asked in turns', () => {
  const answers = ask({ requests: 90 }, dash, ['web1', 'web2']);
  expect(answers).toHaveLength(90);
  // One that a busy machine answers too late is a failed question, whichever turn it is in.
  expect(answers.slice(-10).some(({ status }) => status === 200)).toBe(true);
});

test('the bytes are what was said, NUL among them', () => {
  const payload = dnsQuestion('www.example.org', 'A');
  expect(payload).toBe('6c760100000100000000000003777777076578616d706c65036f72670000010001');
  expect(ask({ payload, requests: 1, markers: [payload] }, dash, ['ECHO'])).toEqual([{ status: 200, markers: [0] }]);
});
