import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { rememberRun, withFailed } from '../../src/cli/last-run.ts';
import { selectHosts } from '../../src/inventory/select.ts';
import type { HostReport } from '../../src/model.ts';
import { s0Fleet } from '../support/plan-context.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lvsctl-state-'));
  vi.stubEnv('XDG_STATE_HOME', home);
});
afterEach(() => vi.unstubAllEnvs());

const real = { fleet: s0Fleet, lab: false };
const rehearsal = { fleet: s0Fleet, lab: true };
const hosts = (statuses: Readonly<Record<string, HostReport['status']>>): readonly HostReport[] =>
  Object.entries(statuses).map(([name, status]) => {
    return { name, role: 'backend', address: '10.18.43.1', status, why: 'secret words', changed: 0, channels: 1, steps: [] };
  });
const failed = (which = real, pattern = '@failed'): readonly string[] =>
  selectHosts(withFailed(which, pattern), pattern).map(({ name }) => name);

test('hosts that failed or were not reached, until a later run finds them right', () => {
  rememberRun(real, { runId: 'one', hosts: hosts({ dr1: 'ok', web1: 'failed', web2: 'unreachable' }) });
  expect(failed()).toEqual(['web1', 'web2']);
  expect(failed(real, 'all:!@failed')).toEqual(['dr1', 'dr2']);
  rememberRun(real, { runId: 'two', hosts: hosts({ web1: 'changed' }) });
  expect(failed()).toEqual(['web2']);
  rememberRun(real, { runId: 'three', hosts: hosts({ web2: 'change' }) });
  expect(failed()).toEqual(['web2']);
  rememberRun(real, { runId: 'four', hosts: hosts({ web2: 'ok' }) });
  expect(failed()).toEqual([]);
});

test('a rehearsal, and another inventory of the same cluster, are remembered apart', () => {
  rememberRun(rehearsal, { runId: 'one', hosts: hosts({ web1: 'failed' }) });
  expect(failed(rehearsal)).toEqual(['web1']);
  expect(() => failed(real)).toThrow(/no deploy of inventory\/dr\.yaml is remembered/);
  expect(() => failed({ fleet: { ...s0Fleet, file: 'other.yaml' }, lab: true })).toThrow(/no deploy of other\.yaml/);
});

test('only its owner may read what is kept, and it holds no more than names', () => {
  rememberRun(real, { runId: 'one', hosts: hosts({ web1: 'failed' }) });
  const folder = join(home, 'lvsctl');
  const [file = ''] = readdirSync(folder);
  expect([statSync(folder).mode & 0o777, statSync(join(folder, file)).mode & 0o777]).toEqual([0o700, 0o600]);
  expect(Object.keys(JSON.parse(readFileSync(join(folder, file), 'utf8')) as object)).toEqual(['inventory', 'failed']);
  expect(readFileSync(join(folder, file), 'utf8')).not.toContain('secret words');
});

test('nothing is read where nobody asks', () => {
  expect(withFailed(real, 'all:!web1')).toBe(s0Fleet);
  expect(() => withFailed(real, '&@failed')).toThrow(expect.objectContaining({ exitCode: 4 }));
});
