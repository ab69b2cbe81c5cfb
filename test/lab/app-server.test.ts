/**
 * The playbook of an ordinary Ansible user on real machines: it deploys, finds nothing to do the second time, restarts its service once
 * when a file changes, and --tags, --check and --limit mean what they say. One story, told in order.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeTitles, lvsctl, lvsctlJson } from '../support/cli.ts';

const inventory = 'test/lab/app-server.inventory.yaml';
const book = [inventory, '--lab', '--playbook', 'playbooks/app-server/site.yaml'];
const deploy = (...flags: readonly string[]) => lvsctlJson('deploy', ...book, '--yes', '--serial', '100%', ...flags);
const exec = (pattern: string, command: string) => lvsctl('lab', 'exec', inventory, pattern, '--', command);

const answers = async (port = 8080): Promise<string> => (await exec('backends', `curl -s --max-time 5 http://127.0.0.1:${port}/`)).stdout;
/** How often systemd has started the service, per host. */
const starts = async (): Promise<readonly number[]> =>
  (await exec('backends', 'journalctl --unit hello --output cat | grep -c "^Started hello"')).stdout
    .trim()
    .split('\n')
    .sort()
    .map((line) => Number(line.split(': ')[1]));

beforeAll(async () => {
  process.env.XDG_STATE_HOME = mkdtempSync(join(tmpdir(), 'lvsctl-state-'));
  await lvsctl('lab', 'down', inventory);
  const up = await lvsctl('lab', 'up', inventory);
  expect(up, up.stderr).toMatchObject({ exit: 0 });
});

afterAll(async () => {
  await lvsctl('lab', 'down', inventory);
});

test('a deploy makes bare machines application servers', async () => {
  const { exit, report, stderr } = await deploy();
  expect({ exit, notes: report.notes, stderr, failed: report.summary.failed }).toEqual({ exit: 0, notes: [], stderr: '', failed: 0 });
  expect(report.checks).toMatchObject([
    { id: 'app-answers', host: 'web1', status: 'pass', found: 'port 8080 says "Hello from web1"' },
    { id: 'app-answers', host: 'web2', status: 'pass' },
  ]);
  expect(report.hosts.map(({ name }) => name)).toEqual(['web1', 'web2']);
  expect(report.hosts[0]?.steps.find(({ name }) => name === 'Perl, elsewhere')?.status).toBe('skipped');
  const account = await exec(
    'web1',
    'id olivia; stat -c "%U %a" /srv/hello/data; systemctl is-active hello-tidy.timer; sysctl -n net.core.somaxconn',
  );
  expect(account.stdout.split('\n')).toEqual([
    expect.stringMatching(/^uid=\d+\(olivia\) gid=\d+\(operators\)/),
    'hello 700',
    'active',
    '8192',
    '',
  ]);
});

test('the service answers', async () => {
  expect((await answers()).trim().split('\n').sort()).toEqual(['web1: Hello from web1', 'web2: Hello from web2']);
});

test('a second deploy changes nothing', async () => {
  const { exit, report } = await deploy();
  expect({ exit, changes: changeTitles(report) }).toEqual({ exit: 0, changes: [] });
});

test('a changed file restarts the service, once', async () => {
  const before = await starts();
  const { exit, report } = await deploy('--extra-vars', 'greeting=Good morning');
  expect({ exit, notes: report.notes }).toEqual({ exit: 0, notes: [] });
  expect(changeTitles(report)).toHaveLength(2);
  expect(await starts()).toEqual(before.map((count) => count + 1));
  expect((await answers()).trim().split('\n').sort()).toEqual(['web1: Good morning', 'web2: Good morning']);
});

test('--check --diff shows what would be done, line by line, and does nothing', async () => {
  const before = await starts();
  const { exit, stdout } = await lvsctl('deploy', ...book, '--check', '--diff');
  expect(exit).toBe(2);
  expect(stdout).toContain('-greeting = Good morning');
  expect(stdout).toContain('+greeting = Hello from web1');
  expect((await exec('web1', 'cat /srv/hello/etc/hello.conf')).stdout).toContain('greeting = Good morning\n');
  expect(await starts()).toEqual(before);
});

test('--tags and --limit do only that', async () => {
  expect((await exec('backends', 'rm /etc/sudoers.d/hello && systemctl stop hello-tidy.timer')).exit).toBe(0);
  const { exit, report } = await deploy('--tags', 'accounts', '--limit', 'web[1:1]');
  expect(exit).toBe(0);
  expect(changeTitles(report)).toEqual([expect.stringContaining('web1: ')]);
  expect(
    (await exec('backends', 'ls /etc/sudoers.d')).stdout
      .trim()
      .split('\n')
      .filter((line) => line.endsWith(' hello')),
  ).toEqual(['web1: hello']);
});

test('its own check finds a service that does not run', async () => {
  expect((await exec('web2', 'systemctl stop hello')).exit).toBe(0);
  const { exit, report } = await lvsctlJson('verify', ...book);
  expect(exit).toBe(3);
  expect(report.checks).toMatchObject([
    { host: 'web1', status: 'pass' },
    { host: 'web2', status: 'fail', found: 'nothing answers at port 8080', fix: 'look at journalctl -u hello on web2' },
  ]);
});

test('a deploy mends the rest', async () => {
  const { exit, report } = await deploy();
  expect({ exit, notes: report.notes }).toEqual({ exit: 0, notes: [] });
  expect((await lvsctl('plan', ...book)).exit).toBe(0);
  expect((await answers()).trim().split('\n').sort()).toEqual(['web1: Hello from web1', 'web2: Hello from web2']);
});
