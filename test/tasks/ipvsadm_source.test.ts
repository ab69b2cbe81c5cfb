import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { beforeText, keeping } from '../../src/before/before.ts';
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

test('a teardown takes all of it away, the links and what came along with the programs too', () => {
  const prefix = join(root, 'ipvsadm');
  const program = { prefix, programs: ['sbin/ipvsadm', 'sbin/ipvsadm-save', 'sbin/ipvsadm-restore'] };
  for (const folder of ['sbin', 'man']) mkdirSync(join(root, 'work/tree', prefix, folder), { recursive: true });
  for (const name of [...program.programs, 'man/ipvsadm.8']) writeFileSync(join(root, 'work/tree', prefix, name), name);
  const place = placeProgram({ prefix, key: 'k', manager: 'none', binary: 'sbin/ipvsadm' }, program);
  const touched = task.touches({ ...task.example, prefix }).filter((word) => !word.startsWith('package:'));
  const { calls, notes } = keeping(touched.map((resource) => ({ resource })));
  const before = `LVSCTL_BEFORE='${root}/before'
work='${root}/work' prefix='${prefix}' key=k binary='${root}/work/tree${prefix}/sbin/ipvsadm'
${beforeText}
( ${calls.map((call) => renderSh(call, String)).join(' && ')} && kept ) || exit 3
mkdir '${prefix}'`;
  const after = `${notes.map((note) => renderSh(note, String)).join('\n')}
for folder in $(ls -r '${root}/before'); do restore "$folder" >>'${root}/said'; done`;
  expect(run(`${before}\n( ${renderSh(place, String)} ) || exit 4\ncd /\n${after}\n`)).toBe(0);
  expect(readFileSync(join(root, 'said'), 'utf8')).toBe('');
  expect([existsSync(prefix), readdirSync(join(root, 'links')), existsSync(join(root, 'before'))]).toEqual([false, [], false]);
});
