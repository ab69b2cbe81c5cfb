/**
 * The main job on real kernels, as users do it: bare machines become a cluster, a second deploy finds nothing to do, damage is named,
 * mended and verified, a mistaken change rolled back, a reboot of everything leaves it right. One story, told in order, by an operator
 * who is not root, has a password for sudo and goes through a bastion; nothing but ~/.ssh/config says so.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterStatus } from '../../src/status/status.ts';
import { changeTitles, lvsctl } from '../support/cli.ts';
import { haveNginx } from '../support/native-build.ts';
import { becomeOperator, type Operator } from '../support/operator.ts';
import { password } from '../support/own-etc.ts';
import { type SecretWatch, watchForSecret } from '../support/secret-watch.ts';

const inventory = 'inventory/dr.yaml';
/** As much of the password as any quoting would leave as it is. */
const unquoted = password.slice(0, 14);
let operator: Operator;
let watch: SecretWatch;

const exec = (pattern: string, command: string) => lvsctl('lab', 'exec', inventory, pattern, '--', command);

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 300_000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 1000))) if (await holds()) return;
  throw new Error(`not within five minutes: ${what}`);
}

/** Reboots every machine and waits until each runs a new kernel, has started all it starts, and the directors have elected a master. */
async function rebootAll(): Promise<void> {
  const bootIds = async () =>
    (await exec('all', 'cat /proc/sys/kernel/random/boot_id')).stdout.split('\n').filter((line) => line.includes('-'));
  const before = await bootIds();
  await exec('all', 'systemctl reboot');
  await until('every machine has booted again', async () => {
    const now = await bootIds();
    return now.length === before.length && now.every((line) => !before.includes(line));
  });
  await exec('all', 'systemctl is-system-running --wait');
  await until('a director has the VIP', async () =>
    (await exec('directors', 'ip -o addr show dev eth1')).stdout.includes(' 10.18.43.30/32 '),
  );
}

const rootLogins = async (): Promise<readonly number[]> =>
  (await exec('all', "journalctl -u ssh --output=cat | grep -c 'Accepted .* for root '")).stdout
    .split('\n')
    .flatMap((line) => /: (\d+)$/.exec(line)?.[1] ?? [])
    .map(Number);

function filesWith(text: string, folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name)).filter((file) => readFileSync(file, 'utf8').includes(text));
}

beforeAll(async () => {
  await lvsctl('lab', 'down', inventory);
  const up = await lvsctl('lab', 'up', inventory);
  expect(up, up.stderr).toMatchObject({ exit: 0 });
  // As after an earlier run: from the operator's network nothing can be fetched, and a compiler takes a quarter of an hour here.
  await haveNginx(inventory);
  operator = await becomeOperator(inventory);
  watch = await watchForSecret(inventory, unquoted);
});

afterAll(async () => {
  await operator?.leave();
  await lvsctl('lab', 'down', inventory);
});

describe('the way to the machines', () => {
  test('is known to ~/.ssh/config alone: without it none is reached', async () => {
    const { exit, report } = await operator.stranger.lvsctlJson('plan', inventory, '--timeout', '2');
    expect({ exit, states: report.hosts.map(({ status }) => status) }).toEqual({ exit: 5, states: Array(4).fill('unreachable') });
  });
});

describe('a cluster from bare machines', () => {
  test('deploy builds it and verification is green', async () => {
    const before = await rootLogins();
    const { exit, report, stderr } = await operator.lvsctlJson('deploy', inventory, '--yes');
    expect({ exit, notes: report.notes, stderr, failing: report.checks.filter(({ status }) => status !== 'pass') }).toEqual({
      exit: 0,
      notes: [],
      stderr: '',
      failing: [],
    });
    expect(report.summary).toMatchObject({ failed: 0, unreachable: 0 });
    expect(report.checks.length).toBeGreaterThan(10);
    const of = (what: RegExp) => changeTitles(report).filter((title) => what.test(title)).length;
    expect({ built: of(/: build nginx/), installed: of(/: install nginx/) }).toEqual({ built: 0, installed: 2 });
    // The one more is the login that counts.
    expect(await rootLogins()).toEqual(before.map((count) => count + 1));
  });

  test('a second deploy finds nothing to do, with at most 3 channels a host', async () => {
    const { exit, report } = await operator.lvsctlJson('deploy', inventory, '--yes');
    expect({ exit, changed: report.summary.changed, changes: changeTitles(report) }).toEqual({ exit: 0, changed: 0, changes: [] });
    expect(Math.max(...report.hosts.map(({ channels }) => channels))).toBeLessThanOrEqual(3);
  });

  test('nor does plan, with the password typed at the prompt, nor as root with --lab', async () => {
    const { exit, stdout } = await operator.lvsctlAsking('plan', inventory);
    expect({ exit, asked: stdout.split('sudo password:').length - 1 }, stdout).toEqual({ exit: 0, asked: 1 });
    expect((await lvsctl('plan', inventory, '--lab')).exit).toBe(0);
  });

  test('an account that may only look finds that all is right and nothing left to do; the closing line says what that took', async () => {
    const list = await lvsctl('sudoers', inventory, '--user', 'watch');
    expect(list).toMatchObject({ exit: 0, stderr: '' });
    const account = `useradd -m watch && mkdir -m 700 ~watch/.ssh && cp /root/.ssh/authorized_keys ~watch/.ssh/ && chown -R watch: ~watch/.ssh
echo ${Buffer.from(list.stdout).toString('base64')} | base64 -d >/etc/sudoers.d/lvsctl-reader && chmod 440 /etc/sudoers.d/lvsctl-reader`;
    expect(await exec('all', account)).toMatchObject({ exit: 0 });
    const { exit, stdout } = await lvsctl('verify', inventory, '--lab', '--reader', 'watch');
    expect(exit, stdout).toBe(0);
    expect(stdout.trim().split('\n').at(-1)).toMatch(/^5 hosts, \d+ channels, \d+(\.\d\d)? s, 0 changes, \d+ checks passed$/);
    expect(await lvsctl('plan', inventory, '--lab', '--reader', 'watch')).toMatchObject({ exit: 0 });
    const status = await lvsctl('status', inventory, '--lab', '--reader', 'watch', '--json');
    const { directors, services } = JSON.parse(status.stdout) as ClusterStatus;
    expect(directors.flatMap(({ vips }) => vips)).toEqual(['10.18.43.30']);
    expect(services[0]?.realServers).toMatchObject(
      ['web1', 'web2'].map((host) => ({ host, state: 'in', rates: { connections: expect.any(Number) } })),
    );
    expect((await exec('dr1', 'runuser -u watch -- sudo -n ipvsadm -C')).exit).not.toBe(0);
    expect(await exec('all', 'userdel -r watch 2>/dev/null; rm /etc/sudoers.d/lvsctl-reader')).toMatchObject({ exit: 0 });
  });

  test('a client reaches both backends through the VIP', async () => {
    const { stdout } = await exec('probe', 'curl -s --max-time 3 http://10.18.43.30/');
    expect(stdout).toMatch(/^web[12]\n$/);
  });
});

describe('the password', () => {
  test('is in no process, file or journal of a machine, on no screen and in no file of the operator', async () => {
    expect(await watch.found()).toEqual([]);
    expect(operator.heard()).not.toContain(unquoted);
    expect(filesWith(unquoted, operator.home)).toEqual([]);
  });
});

describe('damage', () => {
  const keys = ['all', 'eth0'].flatMap((nic) => ['arp_ignore', 'arp_announce'].map((key) => `net.ipv4.conf.${nic}.${key}`));

  test('is done by hand', async () => {
    expect((await exec('web1', keys.map((key) => `sysctl -qw ${key}=0`).join(' && '))).exit).toBe(0);
    expect((await exec('web2', 'systemctl stop nginx')).exit).toBe(0);
  });

  test('verify names both', async () => {
    const { exit, report } = await operator.lvsctlJson('verify', inventory);
    expect(exit).toBe(3);
    const failing = report.checks.filter(({ status }) => status === 'fail');
    expect(failing).toContainEqual(
      expect.objectContaining({ id: 'arp-sysctls', host: 'web1', found: expect.stringContaining('arp_ignore') }),
    );
    expect(failing).toContainEqual(
      expect.objectContaining({ id: 'arp-sysctls', host: 'web1', found: expect.stringContaining('arp_announce') }),
    );
    expect(failing).toContainEqual(expect.objectContaining({ id: 'backend-service', host: 'web2' }));
    expect(failing.every(({ fix }) => fix !== '')).toBe(true);
  });

  test('plan lists exactly what mends it', async () => {
    const { exit, report } = await operator.lvsctlJson('plan', inventory);
    expect(exit).toBe(2);
    const ids = report.hosts.flatMap((host) =>
      host.steps.flatMap((step) => step.changes.map((change) => `${host.name} ${step.task} ${change.id}`)),
    );
    expect(ids.sort()).toEqual([...keys.map((key) => `web1 sysctl live:${key}`), 'web2 service start:nginx.service'].sort());
  });

  test('deploy mends it, verify agrees', async () => {
    const { exit, report } = await operator.lvsctlJson('deploy', inventory, '--yes');
    expect({ exit, notes: report.notes, failing: report.checks.filter(({ status }) => status !== 'pass') }).toEqual({
      exit: 0,
      notes: [],
      failing: [],
    });
    expect(report.summary.changed).toBe(keys.length + 1);
    expect((await operator.lvsctl('verify', inventory)).exit).toBe(0);
  });
});

describe('a change that was a mistake', () => {
  const mistaken = () => join(operator.home, 'mistaken.yaml');
  const masters = 'pgrep -o keepalived || cat /usr/local/nginx/logs/nginx.pid';
  const configurations = 'sha256sum /etc/keepalived/keepalived.conf /usr/local/nginx/conf/nginx.conf 2>/dev/null';
  const told = async (pattern: string, script: string) => (await exec(pattern, script)).stdout.split('\n').sort();
  const state = async () => ({
    table: await told('directors', 'ipvsadm -Sn'),
    files: await told('directors:backends', configurations),
    processes: await told('directors:backends', masters),
  });
  let before: Awaited<ReturnType<typeof state>>;

  /** Asks for the page while something is done; how many answers there were, and what came instead of one. */
  async function asking(work: () => Promise<void>): Promise<{ readonly answers: number; readonly lost: readonly string[] }> {
    const each = `at=$(date +%T.%N); curl -s --max-time 5 http://10.18.43.30/ || echo "lost at $at: exit $?"; sleep 0.1`;
    const asked = exec('probe', `rm -f /run/enough; until [ -e /run/enough ]; do ${each}; done`);
    await work().finally(() => exec('probe', 'touch /run/enough'));
    const lines = (await asked).stdout.split('\n');
    const answers = lines.filter((line) => /^web[12]$/.test(line)).length;
    return { answers, lost: lines.filter((line) => line !== '' && !/^web[12]$/.test(line)) };
  }

  test('is deployed', async () => {
    before = await state();
    const text = readFileSync(inventory, 'utf8');
    const other = text
      .replace('scheduler: rr', 'scheduler: wrr')
      .replace('  user: nginx', '  sites: [{ server_name: shop.example, body: shop }]\n  user: nginx');
    writeFileSync(mistaken(), other);
    const during = await asking(async () => {
      const { exit, report } = await operator.lvsctlJson('deploy', mistaken(), '--yes');
      expect({ exit, notes: report.notes, failing: report.checks.filter(({ status }) => status !== 'pass') }).toEqual({
        exit: 0,
        notes: [],
        failing: [],
      });
    });
    expect(during.lost).toEqual([]);
    expect(during.answers).toBeGreaterThan(10);
    expect((await state()).table.filter((line) => line.includes(' -s wrr '))).toHaveLength(2);
    expect((await exec('web1', 'curl -s -H "Host: shop.example" http://10.18.43.13/')).stdout).toBe('shop\n');
  });

  test('and rolled back: keepalived and nginx of all hosts do what they did, no daemon was restarted and no request lost', async () => {
    const during = await asking(async () => {
      const { exit, report } = await operator.lvsctlJson('rollback', inventory, '--yes');
      expect({ exit, notes: report.notes }).toEqual({ exit: 0, notes: [] });
      expect(report.hosts.filter(({ changed }) => changed > 0).map(({ name }) => name)).toEqual(['dr1', 'dr2', 'web1', 'web2']);
    });
    expect(await state()).toEqual(before);
    expect(during.lost).toEqual([]);
    expect(during.answers).toBeGreaterThan(10);
    const { exit, report } = await operator.lvsctlJson('plan', inventory);
    expect({ exit, changes: changeTitles(report) }).toEqual({ exit: 0, changes: [] });
    expect((await operator.lvsctl('verify', inventory)).exit).toBe(0);
  });
});

describe('a host that is down', () => {
  test('is reported unreachable while the others are planned', async () => {
    expect((await lvsctl('lab', 'power', inventory, 'web2', 'off')).exit).toBe(0);
    const { exit, report } = await operator.lvsctlJson('plan', inventory, '--timeout', '10');
    expect(exit).toBe(5);
    expect(report.hosts.map(({ name, status }) => [name, status])).toEqual([
      ['dr1', 'ok'],
      ['dr2', 'ok'],
      ['web1', 'ok'],
      ['web2', 'unreachable'],
    ]);
    expect((await lvsctl('lab', 'power', inventory, 'web2', 'on')).exit).toBe(0);
    await until('web2 answers again', async () => (await exec('web2', 'true')).exit === 0);
  });
});

describe('a reboot of every host', () => {
  test('leaves a cluster that verify calls right, without a deploy', async () => {
    await rebootAll();
    const { exit, report } = await operator.lvsctlJson('verify', inventory);
    expect({ exit, failing: report.checks.filter(({ status }) => status !== 'pass') }).toEqual({ exit: 0, failing: [] });
  });
});
