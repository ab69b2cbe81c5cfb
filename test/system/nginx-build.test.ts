/** nginx as a host compiles it, by a real compiler: what comes of it is whole. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadInventory } from '../../src/inventory/load.ts';
import { splitArguments } from '../../src/tasks/support/source/configure.ts';
import { buildNginx, buildRoot } from '../support/native-build.ts';

const inventory = 'inventory/dr.yaml';

test('the archive holds a binary with every flag of the inventory, its libraries and its sums', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-built-'));
  try {
    const { path, key } = await buildNginx(inventory);
    execFileSync('tar', ['-xzf', path, '-C', folder]);
    const text = (name: string) => execFileSync('cat', [join(folder, name)], { encoding: 'utf8' });
    expect(text('key').trim()).toBe(key);
    expect(text('packages').split('\n')).toEqual(expect.arrayContaining(['libpcre2-8-0', 'libssl3', 'zlib1g']));
    execFileSync('sha256sum', ['--check', '--quiet', 'sums'], { cwd: folder });
    const flags = loadInventory(inventory).fleet.nginx?.source?.configure ?? [];
    expect(saidArguments(join(folder, 'tree/usr/local/nginx/sbin/nginx'))).toEqual(expect.arrayContaining([...flags]));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** What the binary says of itself in the root that has its libraries. */
function saidArguments(binary: string): readonly string[] {
  const script = 'mount -t tmpfs none "$1/mnt"; cp "$2" "$1/mnt/nginx"; chroot "$1" /mnt/nginx -V 2>&1';
  const said = execFileSync('unshare', ['--mount', 'sh', '-ec', script, 'sh', buildRoot(inventory), binary], { encoding: 'utf8' });
  return splitArguments(/configure arguments: (.*)/.exec(said)?.[1] ?? '');
}
