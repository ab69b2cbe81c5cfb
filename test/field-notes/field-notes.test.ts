import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { snapshotScript } from '../support/snapshot.ts';
import { every, unproven } from './every.ts';
import type { Row } from './stages.ts';
import { tableText } from './table.ts';
import { hasWords, markerOf } from './vocabulary.ts';

describe('the examples', () => {
  test('are of an inventory each', async () => {
    const examples = [...(await every()).values()];
    expect(new Set(examples.map(({ inventory }) => inventory)).size).toBe(examples.length);
  });

  test('leave out no inventory that comes with lvsctl', async () => {
    expect(unproven(await every())).toEqual([]);
    expect(unproven(new Map())).toContain('inventory/dr.yaml');
  });
});

test('the table of the field notes names files that are there', () => {
  const named = readFileSync('docs/field-notes.md', 'utf8').match(/\b(?:test|docs|playbooks|inventory)\/[\w./-]*\w/g) ?? [];
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});

test('what tuning sets outside of net is compared after a teardown', () => {
  const steps = parse(readFileSync('playbooks/deploy/tuning.yaml', 'utf8')) as readonly { sysctl: { values: object } }[];
  const others = steps.flatMap(({ sysctl }) => Object.keys(sysctl.values)).filter((key) => !key.startsWith('net.'));
  expect(others).toContain('kernel.panic');
  expect(others.filter((key) => !snapshotScript.includes(`^${key.replace('.', '\\.')} '`))).toEqual([]);
});

describe('who gave a page', () => {
  const names = ['web1', 'web10', 'dr1'];

  test.each([
    ['web1\n', 'web1'],
    ['<h1>web10</h1>', 'web10'],
    ['this is web1, at your service', 'web1'],
    ['my-web1 and web11', 'my-web1 and web11'],
    ['curl: exit 28', 'curl: exit 28'],
    [`${'sorry '.repeat(30)}`, `${'sorry '.repeat(10)}`],
  ])('%j: %s', (page, marker) => {
    expect(markerOf(page, names)).toBe(marker);
  });
});

test('a line of the table of IPVS is known by its words, not by the beginning of one', () => {
  const line = '-a -t 10.0.0.30:8080 -r 10.0.0.1:80 -i -w 0 --tun-type ipip';
  const words = ['-a -t 10.0.0.30:8080 -r 10.0.0.1:80', '-r 10.0.0.1:', '-w 0', '-a -t 10.0.0.30:80', '-r 10.0.0.1:8', '-r 10.0.0.1'];
  expect(words.filter((each) => hasWords(line, each))).toEqual(words.slice(0, 3));
});

test('the table has a column per stage, and a line through those that were not reached', () => {
  const rows: readonly Row[] = [
    { name: 'dr', note: 'S0', seconds: { up: 20.4, deploy: 200, verify: 7.52 }, passed: 43, notRun: 0, wrong: ['verify: x'] },
    { name: 'nat', note: 'NAT', seconds: {}, passed: 0, notRun: 0, wrong: [] },
  ];
  expect(tableText(rows).split('\n')).toEqual([
    'example  note  up  deploy  verify  again  proof  teardown  down  checks  not run  as it should be',
    'dr       S0    20     200     7.5      -      -         -     -      43        0  NO',
    'nat      NAT    -       -       -      -      -         -     -       0        0  yes',
  ]);
});
