/** keepalived and ipvsadm as in field note S1: compiled on one director, shipped to the other, and there is nothing left to do. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lvsctl, lvsctlJson } from '../support/cli.ts';

const inventory = 'test/lab/from-source/inventory.yaml';
const words = [inventory, '--lab', '--playbook', 'test/lab/from-source/playbook.yaml'];
const exec = async (host: string, command: string) => (await lvsctl('lab', 'exec', inventory, host, '--', command)).stdout;

beforeAll(async () => {
  await lvsctl('lab', 'down', inventory);
  const up = await lvsctl('lab', 'up', inventory);
  expect(up, up.stderr).toMatchObject({ exit: 0 });
});
afterAll(async () => {
  await lvsctl('lab', 'down', inventory);
});

// A compiler in a machine that starts its processes slowly takes its time.
test('built on the first director, running on both', { timeout: 3_600_000 }, async () => {
  const { exit, stderr } = await lvsctlJson('deploy', ...words, '--yes');
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  for (const host of ['dr1', 'dr2']) {
    expect(await exec(host, 'readlink /proc/$(cat /run/keepalived.pid)/exe')).toBe('/usr/local/keepalived/sbin/keepalived\n');
    expect(await exec(host, 'keepalived -t -f /etc/keepalived/keepalived.conf && echo valid')).toContain('valid');
    expect(await exec(host, 'ipvsadm -Ln')).toContain('10.18.45.30:80 rr');
  }
  expect(await exec('dr2', 'command -v gcc || echo no compiler')).toBe('no compiler\n');
});

test('nothing is left to do', async () => {
  expect(await lvsctlJson('plan', ...words)).toMatchObject({ exit: 0 });
});
