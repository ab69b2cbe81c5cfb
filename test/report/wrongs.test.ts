import { describe, expect, it } from 'vitest';
import { readInterval } from '../../src/cli/interval.ts';
import type { Report } from '../../src/model.ts';
import { differences, wrongsOf } from '../../src/report/wrongs.ts';

const report = (more: Partial<Report>): Report => ({
  ...{ command: 'verify', ok: true, exitCode: 0, runId: 'r', touched: false, batches: [], hosts: [], checks: [], notes: [] },
  summary: { hosts: 0, channels: 0, seconds: 0, ok: 0, changed: 0, failed: 0, unreachable: 0, skipped: 0, rescued: 0 },
  ...more,
});

const check = (status: 'pass' | 'fail' | 'not-run', host: string, found: string): Report['checks'][number] => ({
  ...{ id: 'traffic', name: 'Traffic', from: 'client', expected: 'all answered', fix: status === 'fail' ? 'mend it' : '' },
  ...{ status, host, found },
});

const host = (status: Report['hosts'][number]['status'], title?: string): Report['hosts'][number] => ({
  ...{
    name: 'web1',
    role: 'backend',
    address: '10.18.43.13',
    status,
    why: status === 'unreachable' ? 'no route' : '',
    changed: 0,
    channels: 1,
  },
  steps:
    title === undefined
      ? []
      : [
          {
            ...{ task: 'copy', name: 'page', status: 'change', why: '', pendingReboot: [], stays: [] },
            changes: [{ id: 'file:/page', title, diff: [], script: '', status: 'planned', output: '', seconds: 0 }],
          },
        ],
});

describe('what is wrong in a report', () => {
  it('is nothing where all is well, and nothing that was not looked at', () => {
    expect(wrongsOf(report({ hosts: [host('ok')], checks: [check('pass', 'dr1', 'fine'), check('not-run', 'dr2', 'not asked')] }))).toEqual(
      [],
    );
  });

  it('is a host that is not there, a check, a change and a note, each with its host', () => {
    const all = report({
      hosts: [host('unreachable'), { ...host('change', 'write /page'), name: 'web2' }],
      checks: [check('fail', 'dr1', '3 of 40 requests failed')],
      notes: ['web2: somebody is at work'],
    });
    expect(wrongsOf(all).map(({ host: of, what, fix }) => [of, what, fix])).toEqual([
      ['web1', 'unreachable: no route', ''],
      ['dr1', '3 of 40 requests failed', 'mend it'],
      ['web2', 'differs: write /page', ''],
      ['', 'web2: somebody is at work', ''],
    ]);
  });
});

describe('from one look to the next', () => {
  const look = (...checks: Report['checks']) => wrongsOf(report({ checks }));

  it('the same thing with other numbers is no news', () => {
    const [before, now] = [look(check('fail', 'dr1', '3 of 40 requests failed')), look(check('fail', 'dr1', '5 of 40 requests failed'))];
    expect(differences(before, now)).toEqual({ appeared: [], gone: [] });
  });

  it('what is new and what is over is', () => {
    const [before, now] = [look(check('fail', 'dr1', 'a')), look(check('pass', 'dr1', 'b'), check('fail', 'dr2', 'c'))];
    const { appeared, gone } = differences(before, now);
    expect([appeared.map(({ what }) => what), gone.map(({ what }) => what)]).toEqual([['c'], ['a']]);
  });
});

describe('the time between two looks', () => {
  it.each([
    ['10s', 10],
    ['5m', 300],
    ['1h', 3600],
  ])('%s', (typed, seconds) => expect(readInterval('--observe', typed, 10)).toBe(seconds));

  it.each(['', '5', '9s', '0m', '5 m', '-5m', '5d', 'm'])('%j is refused', (typed) => {
    expect(() => readInterval('--observe', typed, 10)).toThrow(expect.objectContaining({ exitCode: 4 }));
  });
});
