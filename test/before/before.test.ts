/** The functions that keep and put back, each in every shell that a host may have as its sh, in a folder of the test's own. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beforeText, keeping } from '../../src/before/before.ts';
import type { Touched } from '../../src/model.ts';
import { renderSh } from '../../src/sh/sh.ts';
import { lines } from '../../src/task.ts';
import { shells } from '../support/lint-shell.ts';
import { runIn } from '../support/run-shell.ts';

/** As a step keeps it that changes no file that a rollback puts back. */
const keepText = (touched: readonly Touched[]): string =>
  [...keeping(touched).calls.map((call) => renderSh(call, String)), 'kept'].join(' && ');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-before-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each(shells)('with %s', (shell) => {
  const at = (name: string): string => join(folder, name);
  const put = (name: string, text: string): void => writeFileSync(at(name), text);
  const read = (name: string): string | undefined => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : undefined);
  const records = (): readonly string[] => (existsSync(at('before')) ? readdirSync(at('before')).filter((name) => name !== '.new') : []);
  /** Functions of before.sh, with those of `stubs` in the place of what would ask this machine. */
  const shellOf = (script: string, stubs = ''): string => {
    const { stdout, stderr } = runIn(shell, { parts: [{ text: `LVSCTL_BEFORE=${folder}/before\n${beforeText}\n${stubs}\n${script}` }] });
    return `${stdout}${stderr}`.trim();
  };
  const keep = (resource: string, stubs = ''): string => {
    return shellOf(keepText([{ resource }]), stubs);
  };
  const restore = (stubs = ''): string => {
    const all = records().toReversed();
    return all.map((record) => shellOf(`restore ${record}`, stubs)).join('');
  };
  const state = (stubs = ''): readonly string[] =>
    [...shellOf('wanted() { :; }\nlist_records', stubs).matchAll(/^state (.*)$/gm)].map(([, word = '']) => word);

  test('a run that is killed after it kept and before it changed anything has nothing to put back', () => {
    put('file', 'mine\n');
    expect(keep(`file:${at('file')}`)).toBe('');
    expect(state()).toEqual(['same']);
    expect(restore()).toBe('');
    expect([read('file'), existsSync(at('before'))]).toEqual(['mine\n', false]);
  });

  test('a record that was begun and not finished does not count, and is made anew', () => {
    put('file', 'mine\n');
    mkdirSync(at('before/.new/100001-aaaaaaaaaaaaaaaa'), { recursive: true });
    writeFileSync(at('before/.new/100001-aaaaaaaaaaaaaaaa/kind'), 'file\n');
    expect(state()).toEqual([]);
    expect(keep(`file:${at('file')}`)).toBe('');
    expect(records()).toHaveLength(1);
    put('file', 'ours\n');
    expect(state()).toEqual(['differs']);
    restore();
    expect(read('file')).toBe('mine\n');
  });

  test('a record is never written again', () => {
    put('file', 'mine\n');
    keep(`file:${at('file')}`);
    put('file', 'ours\n');
    keep(`file:${at('file')}`);
    restore();
    expect(read('file')).toBe('mine\n');
  });

  test('owner, mode and kind of a file come back', () => {
    put('file', 'mine\n');
    symlinkSync('file', at('link'));
    shellOf(`chmod 0751 ${at('file')}; chown 12:34 ${at('file')}`);
    keep(`file:${at('file')}`);
    keep(`file:${at('link')}`);
    shellOf(`rm ${at('link')}; echo ours >${at('link')}; chmod 0600 ${at('file')}; chown 0:0 ${at('file')}`);
    expect(state()).toEqual(['differs', 'differs']);
    expect(restore()).toBe('');
    const { mode, uid, gid } = statSync(at('file'));
    expect([mode & 0o777, uid, gid, read('link')]).toEqual([0o751, 12, 34, 'mine\n']);
  });

  test('what cannot be put back says why, and its record stays', () => {
    put('file', 'mine\n');
    keep(`file:${at('file')}`);
    rmSync(at('file'));
    mkdirSync(at('file'));
    expect(restore()).toBe('there is a directory now');
    expect(records()).toHaveLength(1);
    expect(shellOf('wanted() { :; }\nlist_records')).toMatch(/^why there is a directory now/m);
  });

  test('a tree that was not there goes with all that came into it; one that was there stays', () => {
    mkdirSync(at('old'));
    keep(`tree:${at('old')}`);
    keep(`tree:${at('new')}`);
    for (const name of ['old', 'new']) shellOf(`mkdir -p ${at(name)}/deep; echo x >${at(name)}/deep/file`);
    keep(`file:${at('new/deep/file')}`);
    expect(records()).toHaveLength(2);
    restore();
    expect([existsSync(at('new')), read('old/deep/file')]).toEqual([false, 'x\n']);
  });

  test.each([
    ['net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
    ['net/ipv4/conf/eth0.1/forwarding', 'net/ipv4/conf/eth0.1/forwarding'],
    ['net.ipv4.conf.eth0/1.forwarding', 'net/ipv4/conf/eth0.1/forwarding'],
    ['kernel', 'kernel'],
  ])('%s is the setting %s', (name, path) => expect(shellOf(`proc_of ${name}; echo "$proc"`)).toBe(`/proc/sys/${path}`));

  test('a setting is put back after those that the kernel changed along with it', () => {
    const names = ['net/ipv4/ip_forward', 'net/ipv4/conf/all/accept_redirects', 'net/ipv4/conf/eth0.1/forwarding'];
    for (const name of names) shellOf(`mkdir -p $(dirname ${at(`proc/${name}`)}); echo 0 >${at(`proc/${name}`)}`);
    const here = (script: string): string => script.replaceAll('/proc/sys', at('proc'));
    const call = (script: string): string => shellOf(`${here(beforeText)}\n${script}`);
    call(keepText([{ resource: 'sysctl:net.ipv4.ip_forward' }]));
    expect(
      records()
        .map((record) => read(`before/${record}/name`)?.trim())
        .at(-1),
    ).toBe('net.ipv4.ip_forward');
    expect(records()).toHaveLength(3);
    for (const name of names) put(`proc/${name}`, '1\n');
    for (const record of records().toReversed()) call(`restore ${record}`);
    expect(names.map((name) => read(`proc/${name}`))).toEqual(['0\n', '0\n', '0\n']);
  });

  // The kernel's own, of more than one digit and of several words.
  test.each(['kernel.pid_max', 'kernel/printk', 'kernel.osrelease', 'net/ipv4/tcp_rmem'])(
    '%s that nobody has changed is as before',
    (name) => {
      keep(`sysctl:${name}`);
      expect(state()).toEqual(['same']);
      expect(restore()).toBe('');
      expect(records()).toEqual([]);
    },
  );

  describe('packages', () => {
    const stubs = () => `list_packages() { sort ${at('installed')}; }
try_purge() { for each do ! grep -q "^$each " ${at('needed')} || printf 'dpkg: error processing package %s (--purge):\\n' "$each"; done | grep . >${at('said')} || return 0; cat ${at('said')}; return 1; }
purge() { for each do grep -vx "$each" ${at('installed')} >${at('rest')} || :; mv ${at('rest')} ${at('installed')}; done; }`;
    const note = (): string => shellOf(renderSh(lines(...keeping([{ resource: 'package:x' }]).notes), String), stubs());
    beforeEach(() => {
      put('installed', 'base\n');
      put('needed', '');
    });

    test('that came with one go, those that were there or came later stay', () => {
      keep('package:web', stubs());
      put('installed', 'base\nweb\nlibweb\n');
      expect(note()).toBe('');
      put('installed', 'base\nweb\nlibweb\ntheirs\n');
      expect(restore(stubs())).toBe('');
      expect(read('installed')).toBe('base\ntheirs\n');
    });

    test('of a run that was killed while it installed are known all the same', () => {
      keep('package:web', stubs());
      put('installed', 'base\nweb\n');
      expect(state(stubs())).toEqual(['differs']);
      keep('package:other', stubs());
      put('installed', 'base\nweb\nother\n');
      note();
      restore(stubs());
      expect(read('installed')).toBe('base\n');
    });

    test('that others need by now stay, and are named; the rest goes', () => {
      keep('package:web', stubs());
      put('installed', 'base\nweb\nlibweb\n');
      note();
      put('needed', 'libweb for something\n');
      expect(restore(stubs())).toBe('others need libweb');
      expect(read('installed')).toBe('base\nlibweb\n');
      put('needed', '');
      expect(restore(stubs())).toBe('');
      expect([read('installed'), records()]).toEqual(['base\n', []]);
    });
  });

  test('a kind of somebody else brings its own way back', () => {
    put('table', 'mine\n');
    const own = { record: `cp ${at('table')} saved`, differs: `! cmp -s saved ${at('table')}`, restore: `cp saved ${at('table')}` };
    shellOf(keepText([{ resource: 'firewall:it', own }]));
    expect(state()).toEqual(['same']);
    put('table', 'ours\n');
    expect(state()).toEqual(['differs']);
    restore();
    expect([read('table'), records()]).toEqual(['mine\n', []]);
  });
});

test('what leaves nothing behind, or has a name that no shell could be given, is not kept', () => {
  expect(keeping([{ resource: 'host:boot' }, { resource: 'ipvs:10.0.0.1:80' }, { resource: 'file:/a\nb' }])).toEqual({
    calls: [],
    notes: [],
  });
});
