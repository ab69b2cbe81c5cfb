import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/ipvsadm_source.ts';
import { linksAreThere, placeProgram } from '../../src/tasks/support/source/program.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lvsctl-ipvsadm-'));
});
afterEach(() => rmSync(root, { recursive: true }));

test('ipvsadm is not called to see which it is: it would load the module of the kernel', () => {
  const prefix = join(root, 'ipvsadm');
  mkdirSync(join(prefix, 'sbin'), { recursive: true });
  writeFileSync(join(prefix, 'sbin/ipvsadm'), `#!/bin/sh\n: >'${root}/called'\n`, { mode: 0o755 });
  const probe = renderSh(task.probe({ ...task.example, prefix }), (value) => value);
  expect(spawnSync('dash', ['-c', probe], { encoding: 'utf8' }).stdout).toContain('present yes\n');
  expect(existsSync(join(root, 'called'))).toBe(false);
});

/** In a namespace in which /usr/local/sbin is a folder of the test's own. */
function run(text: string): number | null {
  const links = join(root, 'links');
  mkdirSync(links, { recursive: true });
  const input = `mount --bind '${links}' /usr/local/sbin || exit 9\n${text}\n`;
  return spawnSync('unshare', ['--mount', 'dash'], { input }).status;
}

test('its programs are linked into the PATH, over what an older prefix has left', () => {
  const prefix = join(root, 'ipvsadm');
  const program = { prefix, programs: ['sbin/ipvsadm', 'sbin/ipvsadm-save'] };
  const text = (fragment: ReturnType<typeof linksAreThere>) => renderSh(fragment, (value) => value);
  mkdirSync(join(root, 'work/tree', prefix, 'sbin'), { recursive: true });
  mkdirSync(prefix);
  for (const { name } of [{ name: 'ipvsadm' }, { name: 'ipvsadm-save' }])
    writeFileSync(join(root, 'work/tree', prefix, 'sbin', name), name);
  const place = placeProgram({ prefix, key: 'k', manager: 'none', binary: 'sbin/ipvsadm' }, program);
  const before = `work='${root}/work' prefix='${prefix}' key=k binary='${root}/work/tree${prefix}/sbin/ipvsadm'\nln -s /old /usr/local/sbin/ipvsadm\n`;
  expect(run(text(linksAreThere(program)))).toBe(1);
  expect(run(`${before}${text(place)}`)).toBe(0);
  expect(readlinkSync(join(root, 'links/ipvsadm'))).toBe(join(prefix, 'sbin/ipvsadm'));
  expect(run(text(linksAreThere(program)))).toBe(0);
});
