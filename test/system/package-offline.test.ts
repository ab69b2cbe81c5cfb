/** `package` with `offline`: one host with a repository fetches, one without any installs; the real apt and the real dnf. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Change, Facts } from '../../src/model.ts';
import { lines, type Sh, sh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/package.ts';
import { planContext } from '../support/plan-context.ts';
import { openPackageHost } from './package-host.ts';

const rocky: Partial<Facts> = { distribution: 'rocky', release: '9.4', codename: '', packageManager: 'dnf' };

describe.each([
  { manager: 'apt', facts: {}, older: '1:1.0-1', newer: '1:2.0-1', greeting: '1.0-1' },
  { manager: 'dnf', facts: rocky, older: '1:1.0-1', newer: '1:2.0-1', greeting: '1:1.0-1' },
] as const)('$manager', ({ manager, facts, older, newer, greeting }) => {
  const connected = openPackageHost(manager);
  const isolated = openPackageHost(manager, { repository: false });
  afterAll(() => {
    connected.close();
    isolated.close();
  });
  const artefacts = join(isolated.folder, 'artefacts');
  mkdirSync(artefacts);

  const plan = (host: typeof isolated, params: object) => {
    const want = task.params.parse({ name: 'lvsctl-hello', ...params });
    const seen = task.parse(host.run(task.probe(want)), want);
    return { changes: task.plan(seen, want, planContext({ facts })), settled: () => task.settled(want, seen) };
  };
  const said = (host: typeof isolated, fragment: Sh) => host.run(fragment).stdout;
  /** As the runner does: the artefact is made on one host, and lies on the other when the change runs there. */
  const apply = (change: Change | undefined) => {
    const made = change?.consumes;
    if (!change || !made) throw new Error('nothing is brought from elsewhere');
    const fetched = connected.run(lines(sh`LVSCTL_ARTEFACT=${join(artefacts, `${made.key}.tar.gz`)}; export LVSCTL_ARTEFACT`, made.build));
    expect(fetched, `${fetched.stdout}${fetched.stderr}`).toMatchObject({ exit: 0 });
    return isolated.run(lines(sh`LVSCTL_ARTEFACTS=${artefacts}; export LVSCTL_ARTEFACTS`, change.run));
  };
  const settle = (params: object) => {
    const { changes } = plan(isolated, params);
    for (const change of changes) {
      const ran = change.consumes ? apply(change) : isolated.run(change.run);
      expect(ran, `${change.title}: ${ran.stdout}${ran.stderr}`).toMatchObject({ exit: 0 });
    }
    const again = plan(isolated, params);
    expect(again.changes).toEqual([]);
    return again.settled();
  };

  test('a host without a repository cannot install by itself', () => {
    const [change] = plan(isolated, {}).changes;
    expect(change && isolated.run(change.run).exit).not.toBe(0);
  });

  // Whoever fetched it and whatever the sums say: a host that checks signatures goes on doing so.
  if (manager === 'dnf') {
    test('dnf takes no packages that nobody has signed, unless the host says so', () => {
      const [change] = plan(isolated, { offline: true }).changes;
      expect(apply(change)).toMatchObject({ exit: 1, stderr: expect.stringContaining('GPG') });
      isolated.run(sh`sed -i 's/^gpgcheck=.*/gpgcheck=False/' /etc/dnf/dnf.conf`);
    });
  }

  test('it installs what another has fetched, in the version that is wanted, with what it needs', () => {
    expect(settle({ offline: true, version: older })).toBe(`lvsctl-hello ${older} is installed`);
    expect(plan(isolated, { name: 'lvsctl-greeting' }).settled()).toBe(`lvsctl-greeting ${greeting} is installed`);
    if (manager === 'apt') expect(said(isolated, sh`cat /opt/lvsctl-hello/told`)).toBe('policy 101\nneedrestart l\n');
  });

  test('nothing is left of it, and the fetching host has installed nothing', () => {
    expect(said(isolated, sh`ls /var/tmp; ls /usr/sbin/policy-rc.d 2>/dev/null`)).toBe('');
    expect(plan(connected, {}).changes).toMatchObject([{ was: '' }]);
  });

  test('an installed version is right where none is said; another one takes its place, newer and older, and is held', () => {
    expect(plan(isolated, { offline: true }).changes).toEqual([]);
    expect(settle({ offline: true, version: newer, hold: true })).toBe(`lvsctl-hello ${newer} is installed and held at this version`);
    expect(() => plan(isolated, { offline: true, version: older })).toThrow('lvsctl-hello is held');
    expect(settle({ offline: true, version: older, hold: false })).toBe(`lvsctl-hello ${older} is installed and not held`);
    expect(said(isolated, sh`cat /opt/lvsctl-hello/version`)).toMatch(/1\.0/);
  });

  test('an archive that was changed on the way is not installed', () => {
    settle({ state: 'absent' });
    const [change] = plan(isolated, { offline: true, edition: 'spoilt' }).changes;
    const key = change?.consumes?.key ?? '';
    expect(change && apply(change).exit).toBe(0);
    settle({ state: 'absent' });
    const spoil = sh`cd ${artefacts} && mkdir t && tar -xzf ${key}.tar.gz -C t && for file in t/repository/*hello*; do echo x >>"$file"; done && tar -czf ${key}.tar.gz -C t repository sums key`;
    expect(isolated.run(spoil)).toMatchObject({ exit: 0 });
    const ran = change && isolated.run(lines(sh`LVSCTL_ARTEFACTS=${artefacts}; export LVSCTL_ARTEFACTS`, change.run));
    expect(ran?.stderr).toContain('is damaged');
    expect(plan(isolated, {}).changes).toHaveLength(1);
  });
});
