/** Which runs are undone, from what hosts say that they have kept. */
import { describe, expect, test } from 'vitest';
import { clusterRuns, type KeptHost, parseKeptRuns, undoing, wordsOf } from '../../src/rollback/kept-runs.ts';

const at = (minute: number): string => `2026-11-27T16:0${minute}:00Z`;

/** A host that has kept these runs, each at a minute. */
function host(name: string, runs: Readonly<Record<string, number>>, more: string = ''): KeptHost {
  const said = Object.entries(runs).map(
    ([run, minute], index) => `version ${100001 + index}-${run}\nat ${at(minute)}\nfile 0 /etc/${name}\n`,
  );
  return parseKeptRuns(name, `${said.join('')}${more}`);
}

describe('what a host says', () => {
  test('becomes runs with their files and handlers', () => {
    const said = `pruned ${at(1)}\nversion 100007-20261127-160211-9f3a\nat ${at(2)}\nfile 3 /etc/keepalived/keepalived.conf\nhandler 60 0 yes 4001-keepalived%2Ereload\nrun\t${at(2)}\t20261127-160211-9f3a\tann@control\tlvsctl deploy a.yaml\n`;
    expect(parseKeptRuns('dr1', said)).toEqual({
      host: 'dr1',
      newest: '100007-20261127-160211-9f3a',
      pruned: at(1),
      runs: [
        {
          ...{ run: '20261127-160211-9f3a', version: '100007-20261127-160211-9f3a', at: at(2) },
          files: [{ path: '/etc/keepalived/keepalived.conf', batch: 3 }],
          handlers: [
            {
              ...{ name: 'keepalived.reload', kept: '100007-20261127-160211-9f3a/handlers/4001-keepalived%2Ereload' },
              ...{ order: 4001, timeout: 60, reboots: 0, validates: true },
            },
          ],
        },
      ],
      history: [{ run: '20261127-160211-9f3a', at: at(2), who: 'ann@control', command: 'lvsctl deploy a.yaml', changes: [] }],
    });
  });

  test.each([
    'version 100001-$(id)\nfile 0 /etc/a',
    'version 1-run\nfile 0 /etc/a',
    'version 100001-run/../..\nfile 0 /etc/a',
    'version 100001-run\nfile 0 etc/a',
    'version 100001-run\nfile 0 /etc/\uE000secret vrrp\uE001',
    'version 100001-run\nhandler 60 0 yes ../../x',
    'file 0 /etc/a',
  ])('%j is nothing that is known', (said) => {
    expect(parseKeptRuns('dr1', said).runs).toEqual([]);
  });

  test('a handler of another form is left out', () => {
    const said = `version 100001-run\nfile 0 /a\nhandler 60 0 yes 1-%E0\nhandler 60 0 yes 1-a/b\nhandler x 0 yes 1-a\nhandler 60 0 no 2-b\n`;
    expect(parseKeptRuns('dr1', said).runs[0]?.handlers.map(({ name }) => name)).toEqual(['b']);
  });
});

describe('runs of a cluster', () => {
  test('are in order by the clock of the host that each came to first', () => {
    const runs = clusterRuns([host('dr1', { b: 3, d: 5 }), host('web1', { a: 1, b: 2, c: 4 })]);
    expect(runs.map(({ run }) => run)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('on one host are in its own order, whatever its clock says', () => {
    expect(clusterRuns([host('dr1', { a: 5, b: 2 })]).map(({ run }) => run)).toEqual(['a', 'b']);
  });
});

describe('undone is', () => {
  const hosts = [host('dr1', { b: 2, d: 4 }), host('web1', { a: 1, b: 2, c: 3 })];

  test('the last run, where nothing is said', () => {
    expect(undoing(hosts, {})).toEqual({ oldest: 'd', runs: ['d'] });
  });

  test('all after a run, or from one on', () => {
    expect(undoing(hosts, { to: 'b' })).toEqual({ oldest: 'c', runs: ['c', 'd'] });
    expect(undoing(hosts, { before: 'b' })).toEqual({ oldest: 'b', runs: ['b', 'c', 'd'] });
  });

  test('nothing after the last one', () => {
    expect(undoing(hosts, { to: 'd' })).toEqual({ oldest: undefined, runs: [] });
  });

  test('no run that nobody has kept', () => {
    expect(() => undoing(hosts, { to: 'x' })).toThrow('no run x is kept on these hosts');
    expect(() => undoing([host('dr1', {})], {})).toThrow(/there is nothing to roll back/);
  });

  test('no rollback, unless it is named', () => {
    const more = `run\t${at(9)}\tb\tann@control\tlvsctl rollback a.yaml --before a\n`;
    expect(() => undoing([host('dr1', { a: 1, b: 2 }, more)], {})).toThrow(
      'the last run (b) was a rollback itself: lvsctl rollback a.yaml --before a',
    );
    expect(undoing([host('dr1', { a: 1, b: 2 }, more)], { before: 'b' })).toEqual({ oldest: 'b', runs: ['b'] });
  });

  test('nothing of which a host has dropped a part', () => {
    const dropped = host('web1', { d: 5 }, `pruned ${at(3)}\n`);
    expect(() => undoing([host('dr1', { a: 1, b: 2, d: 5 }), dropped], { before: 'b' })).toThrow(
      'web1 does not keep what was there before b any more',
    );
    expect(undoing([host('dr1', { a: 1, b: 2, d: 5 }), dropped], { before: 'd' })).toEqual({ oldest: 'd', runs: ['d'] });
  });
});

test('who did it is said as the hosts remember it', () => {
  const more = `run\t${at(2)}\ta\tann@control\tlvsctl deploy a.yaml\n`;
  expect(wordsOf('a', [host('dr1', { a: 2 }, more)])).toBe(`lvsctl deploy a.yaml by ann@control at ${at(2)}`);
  expect(wordsOf('b', [host('dr1', { a: 2 }, more)])).toBe('of which no more is known');
});
