import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { ChangeReport, Report, StepReport } from '../../src/model.ts';
import { closingLine, reportText } from '../../src/view/text.ts';

const change: ChangeReport = {
  id: 'live',
  title: 'set a = 1; it is 0',
  diff: ['-a = 0', '+a = 1'],
  script: 'sysctl -qw a=1\nprintf %s [secret db]\n\u001b[2J',
  status: 'done',
  output: '',
  seconds: 0.02,
};
const step = (name: string, status: StepReport['status'], why: string, changes: readonly ChangeReport[] = []): StepReport => {
  return { task: 'sysctl', name, status, why, changes, pendingReboot: [], stays: [] };
};
const report: Report = {
  command: 'deploy',
  ok: true,
  exitCode: 0,
  runId: 'r',
  touched: true,
  summary: { hosts: 2, channels: 4, seconds: 0.5, ok: 2, changed: 1, failed: 0, unreachable: 0, skipped: 1, rescued: 0 },
  batches: [{ name: 'p', hosts: ['web1'] }],
  hosts: [
    {
      ...{ name: 'web1', role: 'backend', address: '10.18.43.13', status: 'changed', why: '', changed: 1, channels: 3 },
      steps: [
        step('kernel', 'changed', '', [change]),
        step('files', 'ok', 'all as wanted'),
        step('only on Rocky', 'skipped', 'facts.x is false'),
      ],
    },
    {
      ...{ name: 'web2', role: 'backend', address: '10.18.43.14', status: 'ok', why: '', changed: 0, channels: 1 },
      steps: [step('files', 'ok', 'all as wanted')],
    },
  ],
  checks: [],
  notes: [],
};
const shown = (verbose: number, diff = false): readonly string[] =>
  stripVTControlCharacters(reportText(report, { diff, verbose })).split('\n');

const closing = '2 hosts, 4 channels, 0.50 s, 1 change';
const changed = ['web1 backend 10.18.43.13', '  ✔ kernel', '      set a = 1; it is 0'];
const quiet = ['  ✔ files: all as wanted', '  - only on Rocky (facts.x is false)'];
const others = ['web2 backend 10.18.43.14', '  ✔ files: all as wanted'];
const script = ['        │ sysctl -qw a=1', '        │ printf %s [secret db]', '        │ \\x1b[2J'];

test('nothing said: only what changed', () => expect(shown(0)).toEqual([...changed, closing]));
test('-v: also what needed nothing, and why', () => expect(shown(1)).toEqual([...changed, ...quiet, ...others, closing]));
test('-vv: also the scripts', () => expect(shown(2)).toEqual([...changed, ...script, ...quiet, ...others, closing]));
test('-vvv: also all times and channels', () => {
  expect(shown(3)).toEqual([
    'web1 backend 10.18.43.13 (3 channels)',
    '  ✔ kernel',
    '      set a = 1; it is 0 (0.02 s)',
    ...script,
    ...quiet,
    'web2 backend 10.18.43.14 (1 channel)',
    '  ✔ files: all as wanted',
    closing,
  ]);
});
test('--diff: the lines of a change', () => expect(shown(0, true)).toEqual([...changed, '        -a = 0', '        +a = 1', closing]));

test('a check that could not look has not passed', () => {
  const finding = { id: 'vip-arp', name: 'ARP', host: 'probe', found: 'no arping', expected: '', fix: '', from: 'client' } as const;
  const closing = (...statuses: readonly ('pass' | 'fail' | 'not-run')[]) =>
    closingLine({ ...report, checks: statuses.map((status) => ({ ...finding, status })) });
  expect(stripVTControlCharacters(closing('pass', 'not-run', 'pass'))).toBe(
    '2 hosts, 4 channels, 0.50 s, 1 change, 2 checks passed, 1 not run',
  );
  expect(stripVTControlCharacters(closing('pass', 'fail', 'not-run'))).toBe(
    '2 hosts, 4 channels, 0.50 s, 1 change, 1 check failed, 1 not run',
  );
});
