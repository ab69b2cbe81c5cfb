/** The task `package` with the real apt and the real dnf: look, plan, do as planned, look again and find nothing to do. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Change, Facts } from '../../src/model.ts';
import { sh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/package.ts';
import { planContext } from '../support/plan-context.ts';
import { openPackageHost } from './package-host.ts';

const rocky: Partial<Facts> = { distribution: 'rocky', release: '9.4', codename: '', packageManager: 'dnf' };

/** The newer version is there, but is not what would be installed. */
const preferOlder = sh`printf 'Package: lvsctl-hello\nPin: version 1:1.0-1\nPin-Priority: 1001\n' >/etc/apt/preferences.d/older`;

describe.each([
  {
    manager: 'apt',
    facts: {},
    older: '1:1.0-1',
    newer: '1:2.0-1',
    lists: sh`apt-get -q update`,
    hideNewer: sh`mkdir -p /etc/apt/preferences.d; ${preferOlder}`,
    showNewer: sh`rm /etc/apt/preferences.d/older`,
  },
  {
    manager: 'dnf',
    facts: rocky,
    older: '1:1.0-1',
    newer: '1:2.0-1',
    lists: sh`dnf -q makecache`,
    hideNewer: sh`echo 'excludepkgs=lvsctl-hello-1:2.0-1' >>/etc/yum.repos.d/hello.repo`,
    showNewer: sh`sed -i /^excludepkgs/d /etc/yum.repos.d/hello.repo`,
  },
] as const)('$manager', ({ manager, facts, older, newer, lists, hideNewer, showNewer }) => {
  const host = openPackageHost(manager);
  afterAll(() => host.close());

  const look = (params: object) => {
    const want = task.params.parse({ name: 'lvsctl-hello', ...params });
    const seen = task.parse(host.run(task.probe(want)), want);
    return { changes: task.plan(seen, want, planContext({ facts })), settled: () => task.settled(want, seen) };
  };
  const unmet = ({ unless }: Change) => !unless || host.run(unless).exit !== 0;
  /** Does what is planned; what it says when it looks again. */
  const settle = (params: object): { readonly titles: readonly string[]; readonly settled: string } => {
    const { changes } = look(params);
    expect(changes.filter((change) => !unmet(change))).toEqual([]);
    for (const change of changes) {
      const { exit, stdout, stderr } = host.run(change.run);
      expect(exit, `${change.title}: ${stdout}${stderr}`).toBe(0);
    }
    expect(changes.filter((change) => change.unless && unmet(change))).toEqual([]);
    const again = look(params);
    expect(again.changes).toEqual([]);
    return { titles: changes.map(({ title }) => title), settled: again.settled() };
  };
  const said = (fragment: ReturnType<typeof sh>) => host.run(fragment).stdout;

  test('what is not known yet is found in renewed lists', () => {
    expect(look({}).changes).toMatchObject([{ will: 'lvsctl-hello (newest available)\n' }]);
    expect(host.run(lists)).toMatchObject({ exit: 0 });
    expect(look({}).changes).toMatchObject([{ will: `lvsctl-hello ${newer}\n` }]);
  });

  test('what the plan showed is installed, although a newer version has appeared since', () => {
    host.run(hideNewer);
    const [change] = look({}).changes;
    expect(change?.will).toBe(`lvsctl-hello ${older}\n`);
    host.run(showNewer);
    expect(look({}).changes).toMatchObject([{ will: `lvsctl-hello ${newer}\n` }]);
    expect(change && host.run(change.run)).toMatchObject({ exit: 0 });
    expect(settle({}).settled).toBe(`lvsctl-hello ${older} is installed`);
    expect(settle({ state: 'absent' }).titles).toEqual(['remove lvsctl-hello']);
  });

  test('the pinned version is installed, and no service may start on the way', () => {
    expect(settle({ version: older })).toEqual({
      titles: [`install lvsctl-hello ${older}`],
      settled: `lvsctl-hello ${older} is installed`,
    });
    if (manager === 'apt') expect(said(sh`cat /opt/lvsctl-hello/told`)).toBe('policy 101\nneedrestart l\n');
    expect(said(sh`[ -e /usr/sbin/policy-rc.d ] || echo gone`)).toBe('gone\n');
  });

  test('an installed version is right where none is pinned', () => {
    expect(settle({})).toMatchObject({ titles: [], settled: `lvsctl-hello ${older} is installed` });
  });

  test('another pinned version takes its place: newer, and older again', () => {
    expect(settle({ version: newer }).titles).toEqual([`install lvsctl-hello ${newer}`]);
    expect(said(sh`cat /opt/lvsctl-hello/version`)).toMatch(/2\.0/);
    expect(settle({ version: older }).titles).toEqual([`install lvsctl-hello ${older}`]);
    expect(said(sh`cat /opt/lvsctl-hello/version`)).toMatch(/1\.0/);
  });

  test('what is held stays, whoever upgrades', () => {
    expect(settle({ hold: true })).toEqual({
      titles: ['hold lvsctl-hello at its version'],
      settled: `lvsctl-hello ${older} is installed and held at this version`,
    });
    host.run(manager === 'apt' ? sh`apt-get -y -q upgrade` : sh`dnf -y -q upgrade`);
    expect(said(sh`cat /opt/lvsctl-hello/version`)).toMatch(/1\.0/);
  });

  test('what somebody holds is not replaced without a word', () => {
    expect(() => look({ version: newer })).toThrow('lvsctl-hello is held');
  });

  test('with the word it is let go, replaced, and held again', () => {
    expect(settle({ version: newer, hold: true }).titles).toEqual([
      'hold lvsctl-hello no longer',
      `install lvsctl-hello ${newer}`,
      'hold lvsctl-hello at its version',
    ]);
  });

  test('let go, it is upgraded like any other', () => {
    expect(settle({ version: older, hold: false }).titles).toEqual(['hold lvsctl-hello no longer', `install lvsctl-hello ${older}`]);
    host.run(manager === 'apt' ? sh`apt-get -y -q upgrade` : sh`dnf -y -q upgrade`);
    expect(said(sh`cat /opt/lvsctl-hello/version`)).toMatch(/2\.0/);
  });

  test('a version that nobody has fails, and says so', () => {
    const [change] = look({ version: '1:9.9-1' }).changes;
    const ran = change && host.run(change.run);
    expect(ran?.exit).not.toBe(0);
    expect(`${ran?.stdout}${ran?.stderr}`).toMatch(/9\.9-1/);
  });

  test('it is removed', () => {
    expect(settle({ state: 'absent' })).toEqual({ titles: ['remove lvsctl-hello'], settled: 'lvsctl-hello is not installed' });
  });
});
