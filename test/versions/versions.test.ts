/** The functions that keep versions of files, each in every shell that a host may have as its sh, in a folder of the test's own. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepFragments } from '../../src/apply/bundle/keep.ts';
import { beforeText } from '../../src/before/before.ts';
import type { Change, Handler } from '../../src/model.ts';
import { renderSh } from '../../src/sh/sh.ts';
import { sh } from '../../src/task.ts';
import { keepingVersions, versionId, versionsFile, versionsText } from '../../src/versions/versions.ts';
import { shellcheck, shells } from '../support/lint-shell.ts';
import { runIn } from '../support/run-shell.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-versions-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const change = (path: string, more: Partial<Change> = {}): Change => ({
  id: `content:${path}`,
  title: 't',
  was: '',
  will: 'x',
  run: sh`:`,
  ...more,
});

interface More {
  readonly change?: Partial<Change>;
  readonly handlers?: readonly { readonly name: string; readonly handler: Handler }[];
  readonly all?: boolean;
}

const around = (run: string, path: string, more: More = {}) =>
  keepFragments([{ resource: `file:${path}` }], {
    ...{ run, batch: 0, change: change(path, more.change), handlers: more.handlers ?? [] },
    ...{ resolve: (value: string) => value.replaceAll('\uE000secret s\uE001', "it's hush"), all: more.all ?? false },
  });

describe.each(shells)('with %s', (shell) => {
  const put = (name: string, text: string): void => writeFileSync(at(name), text);
  const read = (name: string): string | undefined => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : undefined);
  const shellOf = (script: string): string => {
    const head = `LVSCTL_BEFORE=${folder}/before LVSCTL_VERSIONS=${folder}/versions LVSCTL_RUN=${folder}/run\nexport LVSCTL_BEFORE LVSCTL_VERSIONS LVSCTL_RUN`;
    const { stdout, stderr } = runIn(shell, { parts: [{ text: `${head}\n${versionsText}\n${script}` }] });
    return `${stdout}${stderr}`.trim();
  };
  const call = (fragment = sh`echo nothing`): string => shellOf(renderSh(fragment, (value) => value).replace(/^\. .*$/gm, ''));
  /** Keeps, changes and notes, as a step of a run does. */
  const write = (run: string, name: string, text: string | undefined, more: More = {}): void => {
    const { keep, note } = around(run, at(name), more);
    expect(call(keep)).toBe('');
    if (text === undefined) rmSync(at(name));
    else put(name, text);
    expect(call(note)).toBe('');
  };
  const id = (name: string): string => versionId(at(name));
  const show = (...runs: readonly string[]): string => shellOf(`show_versions ${runs.join(' ')}`);
  const restore = (run: string, name: string): string => shellOf(`restore_version ${run}/${id(name)} "$(print_of ${at(name)})"`);
  const runs = (): readonly string[] => readdirSync(at('versions')).filter((name) => /^\d{6}-/.test(name));

  test('what a run replaces is kept as it was before its first change, with owner and mode', () => {
    put('file', 'mine\n');
    shellOf(`chmod 0751 ${at('file')}; chown 12:34 ${at('file')}`);
    write('a', 'file', 'one\n');
    write('a', 'file', 'two\n');
    shellOf(`chmod 0600 ${at('file')}; chown 0:0 ${at('file')}`);
    expect(restore('100001-a', 'file')).toBe('');
    const { mode, uid, gid } = statSync(at('file'));
    expect([read('file'), mode & 0o777, uid, gid]).toEqual(['mine\n', 0o751, 12, 34]);
    expect(shellOf(`version_is 100001-a/${id('file')} && echo same`)).toBe('same');
  });

  test('what is put back is newer than what has read the file before', () => {
    put('file', 'mine\n');
    shellOf(`touch -d 2020-01-01 ${at('file')}`);
    write('a', 'file', 'one\n');
    restore('100001-a', 'file');
    expect(statSync(at('file')).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
  });

  test('a link, and what was not there', () => {
    symlinkSync('elsewhere', at('link'));
    write('a', 'link', undefined);
    write('a', 'new', 'x');
    restore('100001-a', 'link');
    restore('100001-a', 'new');
    expect([shellOf(`readlink ${at('link')}`), read('new')]).toEqual(['elsewhere', undefined]);
  });

  test('a step that leaves the file as it was leaves no word of it', () => {
    put('file', 'mine\n');
    write('a', 'file', 'mine\n');
    expect(runs()).toEqual([]);
  });

  test('each run has what it found; what is there now is told from what somebody else has written', () => {
    put('file', '0\n');
    for (const text of ['1', '2', '3']) write(`run-${text}`, 'file', `${text}\n`);
    expect(runs()).toEqual(['100001-run-1', '100002-run-2', '100003-run-3']);
    expect(show('100002-run-2', '100003-run-3')).toMatch(/^state differs$/m);
    expect(show('100002-run-2', '100003-run-3').match(/^(now|old)\|\d$/gm)).toEqual(['now|3', 'old|1']);
    put('file', 'theirs\n');
    expect(show('100003-run-3')).toMatch(/^state foreign$/m);
    put('file', '2\n');
    expect(show('100003-run-3')).toMatch(/^state same$/m);
  });

  test('a run that was killed before it could note what it left is not taken for somebody else', () => {
    put('file', 'mine\n');
    call(around('a', at('file')).keep);
    put('file', 'half');
    expect(show('100001-a')).toMatch(/^state differs$/m);
  });

  test('what is not what the plan has seen is not replaced', () => {
    put('file', 'mine\n');
    write('a', 'file', 'one\n');
    expect(shellOf(`restore_version 100001-a/${id('file')} 0000000000000000`)).toMatch(
      /was changed after the plan had been made: it is left as it is/,
    );
    expect(read('file')).toBe('one\n');
  });

  test('handlers are kept with the texts that ran, secrets in them, for root alone', () => {
    put('file', 'mine\n');
    const handler = (script: Handler['run']): Handler => ({ run: script, validate: sh`echo valid`, timeout: 7, reboots: 0 });
    const handlers = [
      { name: 'other', handler: handler(sh`echo other`) },
      { name: 'a.b/c d', handler: handler(sh`printf '%s\n' ${'\uE000secret s\uE001'} 'two words'`) },
    ];
    write('a', 'file', 'one\n', { handlers, change: { notify: ['a.b/c d'], risk: 'split' } });
    expect(readdirSync(at('versions/100001-a/handlers'))).toEqual(['1001-a%2Eb%2Fc%20d']);
    const said = shellOf('list_versions');
    expect(said).toMatch(new RegExp(`^version 100001-a\nat \\d{4}-[^\n]*\nfile 0 ${at('file')}\nhandler 7 0 yes 1001-a%2Eb%2Fc%20d$`));
    expect(shellOf('version_handles 100001-a/handlers/1001-a%2Eb%2Fc%20d run')).toBe("it's hush\ntwo words");
    expect(show('100001-a')).toMatch(/^split\nnotifies a%2Eb%2Fc%20d$/m);
    expect(statSync(at('versions/100001-a/handlers/1001-a%2Eb%2Fc%20d/run')).mode & 0o777).toBe(0o600);
  });

  test('all that a change could be put back with is on disk before the change is', () => {
    put('file', 'mine\n');
    const handlers = ['h', 'late'].map((name) => ({ name, handler: { run: sh`echo ${name}`, validate: sh`:` } }));
    // Notes what each file held when it was synced, by its inode: it may be moved afterwards.
    const syncs = `state() { printf '%s %s\\n' "$(stat -c %i "$1")" "$(sha256sum <"$1")"; }
all() { find ${at('versions')} ${at('before')} -type f; }
sync() {
  if [ "$1" = -f ]; then all | while read -r each; do state "$each" >>${at('synced')}; done; fi
  shift; for each do [ -d "$each" ] || state "$each" >>${at('synced')}; done
}`;
    const keep = (notify: readonly string[]): string =>
      shellOf(
        `${syncs}\n${renderSh(around('a', at('file'), { handlers, change: { notify } }).keep ?? sh``, String).replace(/^\. .*$/gm, '')}`,
      );
    for (const notify of [['h'], ['late']]) {
      expect(keep(notify)).toBe('');
      const states = shellOf(`${syncs}\nall | while read -r each; do state "$each"; done`).split('\n');
      const synced = (read('synced') ?? '').split('\n');
      expect(states.filter((state) => !synced.includes(state))).toEqual([]);
    }
    expect(shellOf(`cat ${at('versions')}/100001-a/*/notifies`)).toBe('h\nlate');
  });

  test('of a run that a power cut has left half written, all that is there is told, and when that was', () => {
    put('file', 'mine\n');
    const handlers = [{ name: 'h', handler: { run: sh`echo ran`, timeout: 7, validate: sh`echo valid` } }];
    write('a', 'file', 'one\n', { handlers, change: { notify: ['h'] } });
    for (const name of ['at', 'handlers/1000-h/timeout']) put(`versions/100001-a/${name}`, '');
    shellOf(`touch -d '2020-01-02 03:04:05Z' ${at('versions/100001-a/at')}`);
    const said = `version 100001-a\nat 2020-01-02T03:04:05Z\nfile 0 ${at('file')}\nhandler 60 0 yes 1000-h`;
    expect(shellOf('list_versions')).toBe(said);
    expect(shellOf('version_handles 100001-a/handlers/1000-h run')).toBe('ran');
    put('versions/100001-a/handlers/1000-h/run', '');
    expect(shellOf('version_handles 100001-a/handlers/1000-h run || echo failed')).toMatch(/is lost: .*\nfailed$/);
    rmSync(at('versions/100001-a/at'));
    expect(shellOf('list_versions')).toMatch(/^version 100001-a\nat \d{4}-/);
    shellOf('drop_version "$versions/100001-a"');
    expect(shellOf('list_versions')).toMatch(/^pruned \d{4}-[\d:TZ-]+$/);
  });

  test('ten runs are kept, and it is known when the last one was that is not; a rollback drops none', () => {
    for (let number = 101; number <= 110; number += 1) {
      mkdirSync(at(`versions/100${number}-r${number}`), { recursive: true });
      put(`versions/100${number}-r${number}/at`, `2026-11-27T16:02:${number - 100}Z\n`);
    }
    write('r111', 'file', 'x');
    expect(runs()).toEqual([102, 103, 104, 105, 106, 107, 108, 109, 110, 111].map((number) => `100${number}-r${number}`));
    expect(shellOf('list_versions')).toMatch(/^pruned 2026-11-27T16:02:1Z$/m);
    write('back', 'file', 'y', { all: true });
    expect(runs()).toHaveLength(11);
  });

  test('a file of more than a megabyte is named, and not kept', () => {
    put('file', 'x'.repeat(1_048_577));
    write('a', 'file', 'one\n');
    expect(existsSync(at(`versions/100001-a/${id('file')}/copy`))).toBe(false);
    expect(show('100001-a')).toMatch(/^state big$/m);
    expect(restore('100001-a', 'file')).toMatch(/was not kept$/);
  });

  test('settings that the old file had come back at once', () => {
    mkdirSync(at('sysctl.d'));
    put('sysctl.d/90-x.conf', '# words\na.same = 1\n; more\n\na.other = 1\n');
    write('a', 'sysctl.d/90-x.conf', 'a.same = 1\na.other = 2\n');
    const script = `sysctl() { [ "$*" = '-q -p -' ] && sed 's/^/set /'; }\nrestore_version 100001-a/${id('sysctl.d/90-x.conf')} "$(print_of ${at('sysctl.d/90-x.conf')})"`;
    expect(shellOf(script)).toBe('set a.other = 1');
  });

  test('the password of keepalived.conf is hidden; of another file that not everybody may read only its sum is shown', () => {
    for (const name of ['keepalived.conf', 'key']) {
      put(name, 'auth_type PASS\n  auth_pass hush1234\n');
      chmodSync(at(name), 0o640);
      write('a', name, 'auth_pass hush5678 }\n');
      chmodSync(at(name), 0o640);
    }
    const said = show('100001-a');
    expect(said).toMatch(/^now\|auth_pass \[hidden\] }$/m);
    expect(said).toMatch(/^old\| {2}auth_pass \[hidden\]$/m);
    expect(said.match(/^(now|old)\|SHA-256/gm)).toHaveLength(4);
    expect(said).not.toMatch(/hush/);
  });

  describe('tried', () => {
    beforeEach(() => {
      mkdirSync(at('run'));
      mkdirSync(at('etc'));
      writeFileSync(at('run/before.sh'), beforeText);
      writeFileSync(at(`run/${versionsFile.name}`), versionsFile.text);
      put('etc/a', 'good\n');
    });
    const validate = (script: Handler['run']) => ({
      handlers: [{ name: 'h', handler: { run: sh`:`, validate: script } }],
      change: { notify: ['h'] },
    });
    const tryAll = (...names: readonly string[]): string =>
      shellOf(`try_versions ${names.map((name) => `100001-a/${id(name)}`).join(' ')} -- 100001-a/handlers/1000-h && echo right`);

    test('as a whole, where the host does not see it', () => {
      const more = validate(sh`cd ${at('etc')} && grep -q good a && [ ! -e b ]`);
      write('a', 'etc/a', 'bad\n', more);
      write('a', 'etc/b', 'new\n', more);
      expect(tryAll('etc/a', 'etc/b')).toBe('right');
      expect([read('etc/a'), read('etc/b')]).toEqual(['bad\n', 'new\n']);
    });

    test('a file in the place of a file, without its folder', () => {
      write('a', 'etc/a', 'bad\n', validate(sh`cd ${at('etc')} && grep -q good a && [ "$(stat -c %a a)" = 640 ] && ls`));
      shellOf(`chmod 640 ${at('versions')}/100001-a/*/copy`);
      put('etc/big', '');
      shellOf(`dd if=/dev/zero of=${at('etc/big')} bs=1M count=50 2>/dev/null`);
      expect(tryAll('etc/a')).toBe('a\nbig\nright');
      expect(read('etc/a')).toBe('bad\n');
      rmSync(at('etc/a'));
      expect(tryAll('etc/a')).toBe(`not tried before: ${at('etc')} is too large to be copied for that\nright`);
    });

    test('and refused by a handler', () => {
      write('a', 'etc/a', 'bad\n', validate(sh`echo never; exit 1`));
      expect(tryAll('etc/a')).toBe('never\n1000-h: what would be put back is not valid here; nothing was changed');
      expect(read('etc/a')).toBe('bad\n');
    });

    test('and refused where the folder is gone', () => {
      write('a', 'etc/a', 'bad\n', validate(sh`:`));
      rmSync(at('etc'), { recursive: true });
      expect(tryAll('etc/a')).toBe(`there is no directory ${at('etc')} any more`);
    });
  });
});

test('ShellCheck has no warning', () => {
  const { keep = sh``, note = sh`` } = around('a', '/etc/a', {
    change: { notify: ['h'] },
    handlers: [{ name: 'h', handler: { run: sh`:` } }],
  });
  const all = { parts: [{ text: versionsText }] };
  expect(shellcheck([{ name: 'versions.sh', sh: all }, ...[keep, note].map((each) => ({ name: 'around', sh: each }))])).toEqual([]);
});

test('only the file that a change is named for is kept; without such a name all that its step touches', () => {
  const touched = [{ resource: 'file:/etc/a' }, { resource: 'file:/etc/b' }, { resource: 'service:x' }, { resource: 'file:/etc/c\nd' }];
  const common = { run: 'a', batch: 0, touched, handlers: [], resolve: (value: string) => value };
  const kept = (each: Change): readonly string[] =>
    keepingVersions({ ...common, change: each }).calls.flatMap((call) => /(?<=^keep_version a \S+ )\S+/.exec(renderSh(call, String)) ?? []);
  expect(kept(change('/etc/a'))).toEqual(['/etc/a']);
  expect(kept({ ...change('/etc/a'), id: 'start' })).toEqual(['/etc/a', '/etc/b']);
  expect(keepingVersions({ ...common, change: change('/x'), touched: [{ resource: 'service:x' }] }).calls).toEqual([]);
});
