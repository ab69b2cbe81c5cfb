import { expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/systemd_unit.ts';
import { planContext } from '../support/plan-context.ts';

const content = '[Service]\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n';
const file = (text: string) =>
  `type file\nowner root\ngroup root\nuid 0\ngid 0\nmode 644\nsize 9\ncontent\n${text.replace(/^(?=.)/gm, '|').replace(/\n\n/g, '\n|\n')}\n.\n\nend\n`;
const plan = (stdout: string, params: object = {}) => {
  const want = task.params.parse({ name: 'nginx.service', content, ...params });
  return task.plan(task.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext());
};
const ids = (stdout: string, params: object = {}) => plan(stdout, params).map(({ id }) => id);

test('file, systemd’s own copy and enablement are looked at apart', () => {
  expect(ids(`${file(content)}unit NeedDaemonReload=no\nunit UnitFileState=enabled\n`, { enabled: true })).toEqual([]);
  expect(ids(`${file(content)}unit NeedDaemonReload=yes\n`)).toEqual(['daemon-reload:nginx.service']);
  expect(ids(`${file('[Service]\n')}unit NeedDaemonReload=yes\n`)).toEqual(['content:/etc/systemd/system/nginx.service']);
  expect(ids(`${file(content)}unit UnitFileState=disabled\n`, { enabled: true })).toEqual(['enable:nginx.service']);
});

test('what is written is read by systemd in the same change', () => {
  for (const { run } of plan('type missing\n\nend\n')) expect(renderSh(run, (value) => value)).toMatch(/systemctl daemon-reload$/);
});

test('what a unit’s text says cannot pass for what systemd says', () => {
  expect(ids(file(`${content}unit NeedDaemonReload=yes\n`), { content: `${content}unit NeedDaemonReload=yes\n` })).toEqual([]);
});

test('a drop-in lies in the folder of its unit', () => {
  expect(ids('type missing\n\nend\n', { dropin: 'limits.conf' })).toEqual(['content:/etc/systemd/system/nginx.service.d/limits.conf']);
});

test.each([{ name: 'nginx' }, { dropin: '../x.conf' }, { dropin: 'limits' }])('%j is refused', (params) => {
  expect(task.params.safeParse({ name: 'nginx.service', content, ...params }).success).toBe(false);
});
