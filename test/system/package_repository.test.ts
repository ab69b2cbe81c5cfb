/** The task `package_repository` with the real apt and the real dnf, and a repository signed with a key made for the test. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Change, Facts } from '../../src/model.ts';
import { sh } from '../../src/sh/sh.ts';
import packageTask from '../../src/tasks/package.ts';
import task from '../../src/tasks/package_repository.ts';
import { planContext } from '../support/plan-context.ts';
import { openPackageHost } from './package-host.ts';
import { makeSignedRepository } from './signed-repository.ts';

const rocky: Partial<Facts> = { distribution: 'rocky', release: '9.4', codename: '', packageManager: 'dnf' };

describe.each([
  { manager: 'apt', facts: {}, only: { suites: ['stable'], components: ['main'], origin: 'Team' }, newest: '1:3.0-1' },
  { manager: 'dnf', facts: rocky, only: {}, newest: '1:3.0-1' },
] as const)('$manager', ({ manager, facts, only, newest }) => {
  const host = openPackageHost(manager);
  const team = makeSignedRepository(host.folder, manager);
  afterAll(() => host.close());

  const look = (params: object) => {
    const want = task.params.parse({ name: 'team', ...(Object.hasOwn(params, 'state') ? {} : { url: team.url, ...only }), ...params });
    const seen = task.parse(host.run(task.probe(want)), want);
    return { changes: task.plan(seen, want, planContext({ facts })), settled: () => task.settled(want, seen) };
  };
  const attempt = (changes: readonly Change[]) => changes.map(({ run }) => host.run(run)).find(({ exit }) => exit !== 0);
  const settle = (params: object) => {
    const { changes } = look(params);
    expect(attempt(changes)).toBe(undefined);
    const again = look(params);
    expect(again.changes).toEqual([]);
    return { ids: changes.map(({ id }) => id), settled: again.settled() };
  };
  /** What `package` plans to install. */
  const offered = (name: string): string | undefined => {
    const want = packageTask.params.parse({ name });
    return packageTask.plan(packageTask.parse(host.run(packageTask.probe(want)), want), want, planContext({ facts }))[0]?.will;
  };
  const trusted = (): string => host.run(sh`cat /etc/apt/sources.list.d/team.sources /etc/yum.repos.d/team.repo 2>/dev/null`).stdout;

  test('with the key of somebody else nothing of it is offered', () => {
    host.run(manager === 'apt' ? sh`apt-get -q update` : sh`dnf -q makecache`);
    const refused = attempt(look({ key: team.otherKey }).changes);
    if (manager === 'apt') {
      expect(refused?.stderr).toMatch(/NO_PUBKEY|not signed/);
      expect(trusted()).toBe('');
      expect(host.run(sh`apt-get -q -o APT::Update::Error-Mode=any update`)).toMatchObject({ exit: 0 });
    } else {
      const install = host.run(sh`dnf -y -q install lvsctl-extra`);
      expect(install.stdout + install.stderr, `exit ${install.exit}`).toMatch(/public key|GPG/i);
      expect(install.exit).not.toBe(0);
    }
    expect(settle({ state: 'absent' }).settled).toBe('there is no repository team');
  });

  test('with its key it is put in place, and what it has is offered at once and can be installed', () => {
    expect(settle({ key: team.key }).settled).toBe('the repository team is there');
    expect(offered('lvsctl-hello')).toBe(`lvsctl-hello ${newest}\n`);
    const installed = host.run(manager === 'apt' ? sh`apt-get -y -q install lvsctl-extra` : sh`dnf -y -q install lvsctl-extra`);
    expect(installed, `${installed.stdout}${installed.stderr}`).toMatchObject({ exit: 0 });
  });

  test('pinned to one package, the others come from elsewhere', () => {
    settle({ key: team.key, packages: ['lvsctl-extra'] });
    expect(offered('lvsctl-hello')).toBe('lvsctl-hello 1:2.0-1\n');
    settle({ key: team.key, packages: ['lvsctl-hello'] });
    expect(offered('lvsctl-hello')).toBe(`lvsctl-hello ${newest}\n`);
  });

  test('by its priority it goes behind the others, or before them', () => {
    settle({ key: team.key, priority: manager === 'apt' ? 400 : 99 });
    if (manager === 'apt') expect(offered('lvsctl-hello')).toBe('lvsctl-hello 1:2.0-1\n');
    settle({ key: team.key, priority: manager === 'apt' ? 900 : 10 });
    expect(offered('lvsctl-hello')).toBe(`lvsctl-hello ${newest}\n`);
  });

  test('unsigned it is taken only where that is said', () => {
    expect(() => look({})).toThrow('unsigned');
    // apt remembers what was signed once.
    settle({ state: 'absent' });
    host.run(sh`rm -rf /var/lib/apt/lists/*team*`);
    rmSync(join(host.folder, 'team/dists/stable/InRelease'), { force: true });
    settle({ unsigned: true });
    expect(trusted()).toMatch(/^(Trusted: yes|gpgcheck=0)$/m);
    expect(host.run(sh`ls /etc/apt/keyrings/team.asc /etc/pki/rpm-gpg/RPM-GPG-KEY-team`).stdout).toBe('');
  });

  test('one that cannot be reached is not put in place', () => {
    const before = trusted();
    expect(attempt(look({ key: team.key, url: `${team.url}-elsewhere` }).changes)?.exit).not.toBe(0);
    expect(trusted()).toBe(before);
  });

  test('taken away, nothing of it is offered any more, and no file is left', () => {
    settle({ state: 'absent' });
    expect(offered('lvsctl-hello')).toBe('lvsctl-hello 1:2.0-1\n');
    expect(host.run(sh`find /etc/apt /etc/yum.repos.d /etc/pki/rpm-gpg -name '*team*'`).stdout).toBe('');
  });
});
