/**
 * Every task on real machines: what the plan says is what the deploy does, no more and no less, and afterwards there is nothing left to
 * do, although one of the machines has been rebooted in the middle.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Report } from '../../src/model.ts';
import { loadRegistry } from '../../src/playbook/registry.ts';
import { lvsctl, lvsctlJson } from '../support/cli.ts';

const inventory = 'test/lab/every-task/inventory.yaml';
const playbook = 'test/lab/every-task/playbook.yaml';

/**
 * Not here, but in another playbook that a test in the lab deploys: a compiler works on these for minutes. A repository beside the lab's
 * own is there only in test/system.
 */
const elsewhere: Readonly<Record<string, string>> = {
  nginx_source: 'playbooks/deploy/nginx-source.yaml',
  keepalived_source: 'playbooks/deploy/keepalived.yaml',
  ipvsadm_source: 'playbooks/deploy/ipvs.yaml',
};
const inSystem = ['package_repository'];

/**
 * Words that have nothing to change here: no SELinux is loaded, since it makes each file take ten times as long; a query never does; the
 * table of IPVS is filled by keepalived, which does not run yet; nothing has been deployed that could be put back.
 */
const nothingToDo = ['selinux', 'selinux_boolean', 'selinux_port', 'query', 'ipvs', 'restore'];

const folder = mkdtempSync(join(tmpdir(), 'lvsctl-every-task-'));
const archive = join(folder, 'pages.tar.gz');
const server = createServer((_, response) => response.end(readFileSync(archive))).listen(0, '127.0.0.1');
let before: string;
let words: readonly string[];

const bootId = async () =>
  /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec((await exec('cat /proc/sys/kernel/random/boot_id')).stdout)?.[0] ?? '';
const exec = (command: string) => lvsctl('lab', 'exec', inventory, 'web1', '--', command);

function madeArchive(): string {
  writeFileSync(join(folder, 'index.html'), 'a page\n');
  execFileSync('tar', ['-C', folder, '-czf', archive, 'index.html']);
  return createHash('sha256').update(readFileSync(archive)).digest('hex');
}

/** Words of the tasks of a playbook. */
function wordsOf(file: string, known: readonly string[]): ReadonlySet<string> {
  // Plays, or tasks that a play imports.
  const entries = parse(readFileSync(file, 'utf8')) as readonly { readonly tasks?: readonly object[] }[];
  const tasks = entries.flatMap((entry): readonly object[] => entry.tasks ?? [entry]);
  return new Set(tasks.flatMap((task) => Object.keys(task).filter((key) => known.includes(key))));
}

const changesOf = (report: Report, ...statuses: readonly string[]): readonly string[] =>
  report.hosts.flatMap((host) =>
    host.steps.flatMap((step, index) =>
      step.changes.filter(({ status }) => statuses.includes(status)).map(({ id }) => `${host.name} ${index} ${step.task} ${id}`),
    ),
  );

beforeAll(async () => {
  await lvsctl('lab', 'down', inventory);
  const up = await lvsctl('lab', 'up', inventory);
  expect(up, up.stderr).toMatchObject({ exit: 0 });
  before = await bootId();
  if (!server.listening) await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/pages.tar.gz`;
  const vars = JSON.stringify({ archive: url, archive_sum: madeArchive(), boot_id: before });
  words = [inventory, '--lab', '--playbook', playbook, '-e', vars];
});

afterAll(async () => {
  server.close();
  rmSync(folder, { recursive: true });
  await lvsctl('lab', 'down', inventory);
});

test('no word is missing', async () => {
  const known = [...(await loadRegistry()).tasks.keys()];
  const here = wordsOf(playbook, known);
  expect(known.filter((word) => !here.has(word))).toEqual([...Object.keys(elsewhere), ...inSystem].sort());
  expect(Object.entries(elsewhere).filter(([word, file]) => !wordsOf(file, known).has(word))).toEqual([]);
});

test('what is planned is done, all of it and nothing else, across a reboot', async () => {
  const plan = await lvsctlJson('plan', ...words);
  expect(plan.exit, plan.stderr).toBe(2);
  const idle = plan.report.hosts.flatMap(({ steps }) => steps.filter(({ changes }) => changes.length === 0).map(({ task }) => task));
  expect(idle.filter((word) => !nothingToDo.includes(word))).toEqual([]);

  const { exit, stderr, report } = await lvsctlJson('deploy', ...words, '--yes');
  const failing = report.checks.filter(({ status }) => status === 'fail');
  expect({ exit, stderr, notes: report.notes, failing }).toEqual({ exit: 0, stderr: '', notes: [], failing: [] });
  expect(changesOf(report, 'done', 'already')).toEqual(changesOf(plan.report, 'planned'));
});

test('what comes after the reboot was done on the new boot', async () => {
  const now = await bootId();
  expect(now).not.toBe(before);
  expect((await exec('cat /srv/demo/boot')).stdout).toContain(now);
});

test('nothing is left to do: what was set before the reboot has outlived it', async () => {
  const { exit, report } = await lvsctlJson('plan', ...words);
  expect({ exit, changes: changesOf(report, 'planned') }).toEqual({ exit: 0, changes: [] });
});
