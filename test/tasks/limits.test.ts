import { describe, expect, test } from 'vitest';
import limits from '../../src/tasks/limits.ts';
import { planContext } from '../support/plan-context.ts';

const want = limits.params.parse({ domain: 'nginx', soft: 65536, hard: 65536, units: ['nginx.service'] });
const login =
  '# Written by lvsctl. For logins only; services get theirs from their units.\nnginx soft nofile 65536\nnginx hard nofile 65536\n';
const dropIn = '# Written by lvsctl.\n[Service]\nLimitNOFILE=65536\n';
const path = '/etc/systemd/system/nginx.service.d/lvsctl-limits.conf';

interface Host {
  readonly files?: readonly [string | undefined, string | undefined];
  readonly unit?: Readonly<Record<string, string>>;
  readonly processes?: readonly string[];
  readonly ceiling?: number;
}

/** A converged host, but for what is said. */
function stdout({ files = [login, dropIn], unit = {}, processes = ['100 65536 65536'], ceiling = 1048576 }: Host): string {
  const shown = { Id: 'nginx.service', LoadState: 'loaded', NeedDaemonReload: 'no', DropInPaths: path, MainPID: '100' };
  const properties = { ...shown, LimitNOFILE: '65536', LimitNOFILESoft: '65536', ...unit };
  const block = [...Object.entries(properties).map((pair) => pair.join('=')), ...processes.map((process) => `Process=${process}`)];
  return `${files.map(fileOutput).join('')}ceiling ${ceiling}\n${block.join('\n')}\n`;
}

function fileOutput(content: string | undefined): string {
  if (content === undefined) return 'type missing\n\nend\n';
  const header = `type file\nowner root\ngroup root\nuid 0\ngid 0\nmode 644\nsize ${content.length}\n`;
  return `${header}content\n${content.replace(/^(?=.)/gm, '|')}\n.\n\nend\n`;
}

const plan = (host: Host, params = want) =>
  limits.plan(limits.parse({ stdout: stdout(host), stderr: '', exit: 0 }, params), params, planContext());
const ids = (host: Host) => plan(host).map(({ id }) => id);

test('a converged host has nothing to do', () => {
  expect(ids({})).toEqual([]);
});

describe('file, systemd and process are compared apart', () => {
  test('a right file and a process that began before it: the process alone, without a restart', () => {
    const [change, ...others] = plan({ processes: ['100 1024 524288', '101 1024 524288'] });
    expect(change).toMatchObject({ id: 'live:nginx.service', was: 'main process: 1024, at most 524288\nprocess: 1024, at most 524288\n' });
    expect(change?.notify).toBeUndefined();
    expect(others).toEqual([]);
  });

  test('workers that asked for more are let be, those with less are not', () => {
    expect(ids({ processes: ['100 65536 65536', '101 200000 200000'] })).toEqual([]);
    expect(ids({ processes: ['100 65536 65536', '101 1024 65536'] })).toEqual(['live:nginx.service']);
    expect(ids({ processes: ['100 200000 200000'] })).toEqual(['live:nginx.service']);
  });

  test('a unit that is missing or does not run has no live change', () => {
    const none = { LoadState: 'not-found', MainPID: '0', LimitNOFILE: '524288', LimitNOFILESoft: '1024', DropInPaths: '' };
    expect(ids({ files: [login, undefined], unit: none, processes: [] })).toEqual([`content:${path}`]);
    expect(ids({ files: [login, dropIn], unit: none, processes: [] })).toEqual([]);
  });

  test('a file that systemd has not read is its own change', () => {
    const unread = { NeedDaemonReload: 'yes', LimitNOFILE: '524288', LimitNOFILESoft: '1024', DropInPaths: '' };
    expect(ids({ unit: unread })).toEqual(['loaded:nginx.service']);
  });

  test('logins do not share the fate of services', () => {
    expect(ids({ files: [undefined, dropIn] })).toEqual(['content:/etc/security/limits.d/lvsctl-user-nginx-nofile.conf']);
  });
});

test('a later drop-in that wins is named, not fought', () => {
  const later = '/etc/systemd/system/nginx.service.d/override.conf';
  expect(() => plan({ unit: { LimitNOFILE: '1024', LimitNOFILESoft: '1024', DropInPaths: `${path} ${later}` } })).toThrow(
    expect.objectContaining({ message: expect.stringContaining('has LimitNOFILE=1024'), hint: expect.stringContaining(later) }),
  );
});

test('more than the kernel allows is refused: pam_limits would then let nobody in', () => {
  expect(() => plan({ ceiling: 65535 })).toThrow('65536 open files are more than this kernel allows (65535)');
});

test('a soft limit above the hard one is no limit', () => {
  expect(limits.params.safeParse({ domain: '*', soft: 2, hard: 1 }).success).toBe(false);
});

test.each([
  ['*', 'all'],
  ['@www', 'group-www'],
  ['all', 'user-all'],
])('%s has a file of its own', (domain, name) => {
  const [path] = limits.touches(limits.params.parse({ domain, soft: 1, hard: 1 })).filter((word) => word.startsWith('file:'));
  expect(path).toBe(`file:/etc/security/limits.d/lvsctl-${name}-nofile.conf`);
});

test('different soft and hard limits are both in the unit', () => {
  const change = plan({ files: [login, undefined] }, { ...want, soft: 1024 }).find(({ id }) => id === `content:${path}`);
  expect(change?.will).toContain('LimitNOFILE=1024:65536\n');
});
