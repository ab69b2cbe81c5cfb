/** The fragment that puts a build in its place, run for real, with a stand-in for nginx and a prefix in a folder of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { renderSh } from '../../../../src/sh/sh.ts';
import { installNginx, isInstalled } from '../../../../src/tasks/support/nginx/install.ts';

const nginx = (version: string): string => `#!/bin/sh\necho "nginx version: nginx/${version}" >&2\n`;
let root = '';
let prefix = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lvsctl-install-'));
  prefix = join(root, 'usr/nginx');
  mkdirSync(join(root, 'artefacts'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Packs a build that holds `files`, by their path below the prefix. */
function pack(key: string, files: Readonly<Record<string, string>>): void {
  const out = join(root, 'out');
  rmSync(out, { recursive: true, force: true });
  const sums = Object.entries(files).map(([file, content]) => {
    const path = join('tree', prefix, file);
    mkdirSync(join(out, path, '..'), { recursive: true });
    writeFileSync(join(out, path), content);
    chmodSync(join(out, path), file.startsWith('sbin/') ? 0o755 : 0o644);
    return `${createHash('sha256').update(content).digest('hex')}  ${path}\n`;
  });
  for (const [name, content] of Object.entries({ sums: sums.join(''), packages: '', key: `${key}\n` }))
    writeFileSync(join(out, name), content);
  execFileSync('tar', ['-czf', join(root, 'artefacts', `${key}.tar.gz`), '-C', out, 'tree', 'sums', 'packages', 'key']);
}

function run(fragment: ReturnType<typeof installNginx>): { readonly status: number | null; readonly said: string } {
  const env = { PATH: process.env.PATH ?? '', LVSCTL_ARTEFACTS: join(root, 'artefacts') };
  const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', renderSh(fragment, (value) => value)], { encoding: 'utf8', env });
  return { status, said: stdout + stderr };
}

const install = (key: string) => run(installNginx({ prefix, key, manager: 'none' }));
const installed = (key: string): boolean => run(isInstalled({ prefix, key })).status === 0;
const at = (file: string): string => readFileSync(join(prefix, file), 'utf8');

test('a first installation has every file of the build, and says which build it is', () => {
  pack('one', { 'sbin/nginx': nginx('1.26.3'), 'conf/nginx.conf': 'default', 'html/index.html': 'hello', 'modules/a.so': 'a' });
  expect(installed('one')).toBe(false);
  expect(install('one')).toEqual({ status: 0, said: 'nginx version: nginx/1.26.3\n' });
  expect([at('conf/nginx.conf'), at('html/index.html'), at('modules/a.so')]).toEqual(['default', 'hello', 'a']);
  expect(statSync(join(prefix, 'sbin/nginx')).mode & 0o777).toBe(0o755);
  expect(installed('one')).toBe(true);
  expect(installed('other')).toBe(false);
});

test('an upgrade exchanges the binary and modules, keeps what people have changed, and leaves nothing behind', () => {
  pack('one', { 'sbin/nginx': nginx('1.26.3'), 'conf/nginx.conf': 'default', 'html/index.html': 'hello', 'modules/a.so': 'a' });
  install('one');
  writeFileSync(join(prefix, 'conf/nginx.conf'), 'mine');
  const running = statSync(join(prefix, 'sbin/nginx')).ino;
  pack('two', {
    'sbin/nginx': nginx('1.28.0'),
    'conf/nginx.conf': 'new default',
    'conf/new.types': 'new',
    'html/index.html': 'new',
    'modules/a.so': 'b',
  });
  expect(install('two')).toEqual({ status: 0, said: 'nginx version: nginx/1.28.0\n' });
  expect([at('conf/nginx.conf'), at('html/index.html'), at('conf/new.types'), at('modules/a.so')]).toEqual(['mine', 'hello', 'new', 'b']);
  expect(statSync(join(prefix, 'sbin/nginx.old')).ino).toBe(running);
  expect(installed('two')).toBe(true);
  expect(readdirSync(join(root, 'usr'))).toEqual(['nginx']);
  expect(readdirSync(prefix).sort()).toEqual(['.lvsctl-build', 'conf', 'html', 'modules', 'sbin']);
});

test('a second run is the same as one', () => {
  pack('one', { 'sbin/nginx': nginx('1.26.3') });
  install('one');
  expect(install('one').status).toBe(0);
  expect(installed('one')).toBe(true);
});

test('a binary that was exchanged afterwards does not count as installed', () => {
  pack('one', { 'sbin/nginx': nginx('1.26.3') });
  install('one');
  writeFileSync(join(prefix, 'sbin/nginx'), nginx('0.0.1'));
  expect(installed('one')).toBe(false);
});

test.each<[string, () => void, string]>([
  ['is damaged', () => writeFileSync(join(root, 'out/tree', prefix, 'sbin/nginx'), nginx('6.6.6')), 'is damaged'],
  ['was made for another key', () => writeFileSync(join(root, 'out/key'), 'other\n'), 'is another build'],
])('an archive that %s changes nothing', (_, spoil, complaint) => {
  pack('one', { 'sbin/nginx': nginx('1.26.3') });
  install('one');
  pack('two', { 'sbin/nginx': nginx('1.28.0') });
  spoil();
  execFileSync('tar', ['-czf', join(root, 'artefacts/two.tar.gz'), '-C', join(root, 'out'), 'tree', 'sums', 'packages', 'key']);
  const { status, said } = install('two');
  expect(status).toBe(1);
  expect(said).toContain(complaint);
  expect(at('sbin/nginx')).toBe(nginx('1.26.3'));
  expect(installed('one')).toBe(true);
});

test('a build that does not run here changes nothing', () => {
  pack('one', { 'sbin/nginx': '#!/bin/sh\nexit 1\n', 'conf/nginx.conf': 'default' });
  expect(install('one').said).toContain('the built nginx does not run on this host');
  expect(existsSync(join(prefix, 'conf/nginx.conf'))).toBe(false);
  expect(readdirSync(join(root, 'usr'))).toEqual(['nginx']);
});
