import { expect, test } from 'vitest';
import task from '../../src/tasks/kernel_module.ts';
import { planContext } from '../support/plan-context.ts';

const missing = 'type missing\n\nend\n';
const listed = (content: string) => `type file\nowner root\ngroup root\nuid 0\ngid 0\nmode 644\nsize 6\ncontent\n|${content}\n\n.\n\nend\n`;
const seen = (stdout: string, params: unknown) => {
  const want = task.params.parse(params);
  return { want, seen: task.parse({ stdout, stderr: '', exit: 0 }, want) };
};
const plan = (stdout: string, params: unknown) => {
  const { want, seen: found } = seen(stdout, params);
  return task.plan(found, want, planContext()).map(({ id }) => id);
};

test('loaded now and loaded at boot are two things', () => {
  expect(plan(`${listed('ip_vs')}loaded ip_vs\n`, { name: 'ip_vs' })).toEqual([]);
  expect(plan(listed('ip_vs'), { name: 'ip_vs' })).toEqual(['load:ip_vs']);
  expect(plan(`${missing}loaded ip_vs\n`, { name: 'ip_vs' })).toEqual(['content:/etc/modules-load.d/lvsctl-ip_vs.conf']);
  expect(plan(`${listed('ip_vs')}loaded ip_vs\n`, { name: 'ip_vs', persistent: false })).toEqual([
    'remove:/etc/modules-load.d/lvsctl-ip_vs.conf',
  ]);
});

test('of several modules only those that are missing are loaded', () => {
  expect(plan(`${listed('ip_vs')}${listed('ip_vs_rr')}loaded ip_vs\n`, { name: ['ip_vs', 'ip_vs_rr'] })).toEqual(['load:ip_vs_rr']);
});

test('options are there before the module is loaded, so that they count', () => {
  const ids = plan(`${missing}${missing}`, { name: 'ip_vs', options: { conn_tab_bits: 20 } });
  expect(ids).toEqual(['content:/etc/modprobe.d/lvsctl-ip_vs.conf', 'load:ip_vs', 'content:/etc/modules-load.d/lvsctl-ip_vs.conf']);
});

test('options of a loaded module wait for a boot; it is never unloaded', () => {
  const params = { name: 'ip_vs', options: { conn_tab_bits: 20 } };
  const pending = (live: string) => {
    const { want, seen: found } = seen(
      `${listed('ip_vs')}${listed('options ip_vs conn_tab_bits=20')}loaded ip_vs\noption conn_tab_bits ${live}\n`,
      params,
    );
    expect(task.plan(found, want, planContext())).toEqual([]);
    return task.pendingReboot?.(found, want);
  };
  expect(pending('12')).toEqual(['ip_vs runs with conn_tab_bits=12; conn_tab_bits=20 counts from the next boot']);
  expect(pending('20')).toEqual([]);
});

test('the kernel’s Y and N are 1 and 0', () => {
  const { want, seen: found } = seen(`${listed('x')}${listed('options x debug=1')}loaded x\noption debug Y\n`, {
    name: 'x',
    options: { debug: 1 },
  });
  expect(task.pendingReboot?.(found, want)).toEqual([]);
});

test.each([{ name: '-r' }, { name: '../x' }, { name: ['a', 'b'], options: { c: 1 } }, { name: 'a', options: { c: 'd e' } }])(
  '%j is refused',
  (params) => {
    expect(task.params.safeParse(params).success).toBe(false);
  },
);

test('a connection table that the kernel would not make is refused', () => {
  const bits = (value: number, kernel: string, architecture = 'x86_64') => {
    const { want, seen: found } = seen(`${missing}${missing}`, { name: 'ip_vs', options: { conn_tab_bits: value } });
    return () => task.plan(found, want, planContext({ facts: { kernel, architecture } }));
  };
  expect(bits(20, '5.14.0-427.el9.x86_64')).not.toThrow();
  expect(bits(21, '5.14.0-427.el9.x86_64')).toThrow(/out of range/);
  expect(bits(27, '6.5.0')).not.toThrow();
  expect(bits(28, '6.12.3')).toThrow(/out of range/);
  expect(bits(22, '6.12.3', 'armv7l')).toThrow(/out of range/);
  expect(bits(7, '6.12.3')).toThrow(/out of range/);
});
