import { describe, expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import selinux from '../../src/tasks/selinux.ts';
import { planContext } from '../support/plan-context.ts';

interface Host {
  /** What /sys/fs/selinux/enforce holds; empty when SELinux is off. */
  readonly enforce?: string;
  readonly config?: string;
  readonly init?: string;
  readonly relabel?: boolean;
  readonly off?: boolean;
}

function stdout({ enforce = '', config, init = 'system_u:system_r:init_t:s0', relabel, off }: Host): string {
  const header =
    config === undefined ? 'type missing\n' : `type file\nowner root\ngroup root\nuid 0\ngid 0\nmode 644\nsize ${config.length}\n`;
  const content = config === undefined ? '' : `content\n${config.replace(/^(?=.)/gm, '|')}\n.\n`;
  return `${header}${content}\nend\nenforce ${enforce}\ninit ${init}\n${relabel ? 'relabel\n' : ''}${off ? 'off\n' : ''}`;
}

const state = (wanted: string, host: Host) => {
  const want = selinux.params.parse({ state: wanted });
  const seen = selinux.parse({ stdout: stdout(host), stderr: '', exit: 0 }, want);
  return {
    ids: () => selinux.plan(seen, want, planContext()).map(({ id }) => id),
    changes: () => selinux.plan(seen, want, planContext()),
    pending: selinux.pendingReboot?.(seen, want) ?? [],
    settled: selinux.settled(want, seen),
  };
};

const enforcing = 'SELINUX=enforcing\nSELINUXTYPE=targeted\n';

test('now and the file are compared apart', () => {
  expect(state('permissive', { enforce: '1', config: enforcing }).ids()).toEqual(['live:mode', 'persisted:mode']);
  expect(state('enforcing', { enforce: '0', config: enforcing }).ids()).toEqual(['live:mode']);
  expect(state('permissive', { enforce: '0', config: enforcing }).ids()).toEqual(['persisted:mode']);
});

test('all else in the file stays', () => {
  const config = '# SELINUX= can take one of three values\nSELINUX=enforcing\nSELINUXTYPE=targeted\nSELINUX=disabled\n';
  expect(state('permissive', { enforce: '0', config }).changes()[0]?.will).toBe(
    '# SELINUX= can take one of three values\nSELINUX=permissive\nSELINUXTYPE=targeted\n',
  );
});

describe('disabled', () => {
  test('is permissive now, and the rest waits for the reboot', () => {
    const { ids, pending } = state('disabled', { enforce: '1', config: enforcing });
    expect(ids()).toEqual(['live:mode', 'persisted:mode']);
    expect(pending).toEqual(['SELinux stays loaded, permissive, until a reboot']);
  });

  test('has nothing left to do after it', () => {
    const { ids, pending } = state('disabled', { config: 'SELINUX=disabled\n' });
    expect([ids(), pending]).toEqual([[], []]);
  });
});

describe('enforcing is refused', () => {
  test.each([
    ['where SELinux is off', { config: 'SELINUX=disabled\n' }, 'SELinux is off in the running kernel'],
    ['where a relabel waits', { enforce: '0', config: enforcing, relabel: true }, 'a relabel of all files waits'],
    ['where files have no labels', { enforce: '0', config: enforcing, init: 'system_u:system_r:kernel_t:s0' }, 'files have no labels'],
  ])('%s', (_, host, reason) => {
    expect(state('enforcing', host).ids).toThrow(reason);
  });
});

test('what may lock somebody out says so', () => {
  expect(
    state('enforcing', { enforce: '0', config: 'SELINUX=permissive\n' })
      .changes()
      .map(({ risk }) => risk),
  ).toEqual(['lockout', 'lockout']);
  expect(
    state('permissive', { enforce: '1', config: enforcing })
      .changes()
      .map(({ risk }) => risk),
  ).toEqual([undefined, undefined]);
});

test('from off to permissive: the file and a relabel, the rest with the reboot', () => {
  const { ids, pending } = state('permissive', { config: 'SELINUX=disabled\n', off: true });
  expect(ids()).toEqual(['persisted:mode', 'persisted:relabel']);
  expect(pending).toEqual([expect.stringContaining('first take selinux=0 off the kernel command line')]);
});

test('where SELinux is not there, there is nothing to do, and it says so', () => {
  const { ids, settled, pending } = state('enforcing', {});
  expect(ids()).toEqual([]);
  expect(settled).toBe('SELinux is not there; nothing to set enforcing');
  expect(pending).toEqual([]);
});

test('untouched looks at nothing', () => {
  expect(renderSh(selinux.probe(selinux.params.parse({})), String)).toBe(':');
});
