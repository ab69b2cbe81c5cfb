import { describe, expect, test } from 'vitest';
import type { Facts } from '../../src/model.ts';
import { renderSh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/keepalived_source.ts';
import { buildPackages, keepalivedUnit } from '../../src/tasks/support/keepalived/build.ts';
import { planContext } from '../support/plan-context.ts';

const bare = task.parse({ stdout: '', stderr: '', exit: 0 }, task.example);
const artefactOf = (params: object = {}, facts: Partial<Facts> = {}) => {
  const want = task.params.parse({ ...task.example, ...params });
  const [change] = task.plan(bare, want, planContext({ facts }));
  if (!change?.consumes) throw new Error('nothing is built');
  return change.consumes;
};
const complaint = (params: object): string =>
  JSON.stringify(task.params.safeParse({ ...task.example, ...params }).error?.issues ?? 'accepted');

test('a version that cannot test its configuration is refused', () => {
  expect(complaint({ version: '1.3.5' })).toContain('cannot test a configuration');
  expect(complaint({ version: '2.0.4' })).toBe('"accepted"');
});

test.each([
  '--prefix=/opt',
  '--sysconfdir=/usr/etc',
  '--with-init=SYSV',
  '--sbindir=/sbin',
  'enable-json',
  '--enable-json yes',
  '--with-x=$(id)',
])('the flag %j is refused: something else depends on it, or it would not come back as it is', (flag) => {
  expect(complaint({ configure: [flag] })).not.toBe('"accepted"');
});

describe('the key of a build', () => {
  test.each<[string, object, Partial<Facts>]>([
    ['version', { version: '2.3.3' }, {}],
    ['source', { sha256: '0'.repeat(64) }, {}],
    ['flags', { configure: [] }, {}],
    ['prefix', { prefix: '/opt/keepalived' }, {}],
    ['release', {}, { release: '13' }],
    ['architecture', {}, { architecture: 'aarch64' }],
  ])('differs with another %s', (_, params, facts) => {
    expect(artefactOf(params, facts).key).not.toBe(artefactOf().key);
  });
});

test('a build installs what its flags ask for', () => {
  expect(buildPackages(['--enable-json', '--disable-nftables'], 'apt')).toEqual(
    expect.arrayContaining(['libjson-c-dev', 'libsystemd-dev']),
  );
  expect(buildPackages(['--disable-nftables', '--disable-systemd'], 'dnf').join(' ')).not.toMatch(/nftnl|systemd|json/);
});

test('the unit waits for the message of one that sends it, and else for the pid file', () => {
  const unit = (configure: readonly string[]) => keepalivedUnit({ prefix: '/opt/k', configure });
  expect(unit([])).toMatch(
    /^Type=notify\n(.*\n)*ExecStart=\/opt\/k\/sbin\/keepalived --dont-fork --use-file=\/etc\/keepalived\/keepalived.conf/m,
  );
  expect(unit(['--disable-systemd'])).toMatch(/^Type=forking\nPIDFile=\/run\/keepalived.pid\n/m);
  expect(unit(['--disable-systemd'])).not.toContain('--dont-fork');
  expect(renderSh(artefactOf({ configure: ['--disable-systemd'] }).build, (value) => value)).not.toContain('SYSTEMD_NOTIFY');
});

test('without systemd there is nothing to run it', () => {
  expect(() => artefactOf({}, { init: 'other' })).toThrow('needs systemd');
});
