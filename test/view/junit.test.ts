import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CheckResult, HostReport, Report, StepReport } from '../../src/model.ts';
import { junitXml } from '../../src/view/junit.ts';

const step = (name: string, status: StepReport['status'], why = '', more: Partial<StepReport> = {}): StepReport => {
  return { task: 'file', name, status, why, changes: [], pendingReboot: [], stays: [], ...more };
};
const change = (title: string, status: 'done' | 'failed', output: string) => {
  return { id: title, title, diff: [], script: '', status, output, seconds: 0.254 };
};
const host = (name: string, steps: readonly StepReport[], more: Partial<HostReport> = {}): HostReport => {
  return { name, role: 'backend', address: '10.18.43.13', status: 'ok', why: '', changed: 0, channels: 1, steps, ...more };
};
const check = (status: CheckResult['status'], found: string): CheckResult => {
  return {
    id: 'vip-placement',
    name: 'The VIP',
    status,
    host: 'dr1',
    found,
    expected: 'one holder',
    fix: 'see keepalived',
    from: 'director',
  };
};
const reportOf = (hosts: readonly HostReport[], checks: readonly CheckResult[] = [], notes: readonly string[] = []): Report => ({
  ...{ command: 'deploy', ok: false, exitCode: 1, runId: 'r', touched: true, batches: [], hosts, checks, notes },
  summary: { hosts: hosts.length, channels: 4, seconds: 1.5, ok: 1, changed: 1, failed: 1, unreachable: 1, skipped: 1, rescued: 0 },
});

test('a case for each step and each finding; what failed says why, what was not done is skipped', () => {
  const web1 = host('web1', [
    step('limits', 'ok', 'all as wanted'),
    step('nginx', 'changed', '', { changes: [change('write nginx.conf', 'done', '')] }),
    step('reload "now"', 'failed', 'exit 1', { changes: [change('reload', 'failed', 'emerg: <unexpected> & end\n')] }),
    step('only elsewhere', 'skipped', 'facts.x is false'),
  ]);
  const web2 = host('web2', [], { status: 'unreachable', why: 'no answer' });
  const xml = junitXml(reportOf([web1, web2], [check('pass', 'dr1'), check('fail', 'two'), check('not-run', 'no arping')], ['stopped']));
  expect(xml).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="lvsctl deploy" tests="9" failures="4" skipped="2" time="1.5">
    <testcase classname="hosts.web1" name="limits" time="0"/>
    <testcase classname="hosts.web1" name="nginx" time="0.25"/>
    <testcase classname="hosts.web1" name="reload &quot;now&quot;" time="0.25"><failure message="exit 1">exit 1&#10;reload: emerg: &lt;unexpected&gt; &amp; end&#10;</failure></testcase>
    <testcase classname="hosts.web1" name="only elsewhere" time="0"><skipped message="facts.x is false"/></testcase>
    <testcase classname="hosts.web2" name="reachable" time="0"><failure message="no answer">no answer</failure></testcase>
    <testcase classname="checks.vip-placement" name="The VIP (dr1)" time="0"/>
    <testcase classname="checks.vip-placement" name="The VIP (dr1)" time="0"><failure message="two">two&#10;expected: one holder&#10;fix: see keepalived</failure></testcase>
    <testcase classname="checks.vip-placement" name="The VIP (dr1)" time="0"><skipped message="no arping"/></testcase>
    <testcase classname="run" name="stopped" time="0"><failure message="stopped">stopped</failure></testcase>
  </testsuite>
</testsuites>
`);
});

test('whatever a host says, no element and no character gets in that XML does not have', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, why) => {
      const xml = junitXml(reportOf([host(name, [step(why, 'failed', why)])]));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those that XML does not have
      expect(xml).not.toMatch(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/);
      expect([...xml.matchAll(/<\/?[a-z?]+/g)].map(([tag]) => tag).join(' ')).toBe(
        '<?xml <testsuites <testsuite <testcase <failure </failure </testcase </testsuite </testsuites',
      );
      expect(xml.replaceAll(/<[^<>"]*(?:"[^<>"]*"[^<>"]*)*>/g, '')).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot|#10);)/);
    }),
  );
});
