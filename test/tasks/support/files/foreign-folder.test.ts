/**
 * Files in a folder that somebody else may rename things in. Each program that a fragment calls first gives that somebody a turn: what is
 * there is moved away, and links to a file of root's are put in its place.
 */
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
import { type Sh, sh } from '../../../../src/sh/sh.ts';
import { editFile } from '../../../../src/tasks/support/files/edit-lines.ts';
import { attributesRun, writeFile } from '../../../../src/tasks/support/files/write-file.ts';
import { shells } from '../../../support/lint-shell.ts';
import { runIn } from '../../../support/run-shell.ts';

let home: string;
let theirs: string;
let victim: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lvsctl-foreign-'));
  theirs = join(home, 'theirs');
  victim = join(home, 'victim');
  mkdirSync(theirs);
  chmodSync(theirs, 0o777);
  writeFileSync(victim, 'secret\n', { mode: 0o600 });
  mkdirSync(join(home, 'vault'), { mode: 0o700 });
});
afterEach(() => rmSync(home, { recursive: true }));

const me = { owner: String(process.getuid?.()), group: String(process.getgid?.()) };
const conf = () => join(theirs, 'conf');
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

const works: Readonly<Record<string, () => Sh>> = {
  write: () => writeFile({ path: conf(), content: 'new\n', mode: '0644', ...me, validate: (staged) => sh`cat ${staged} >/dev/null` }),
  edit: () => editFile({ path: conf(), edits: [{ kind: 'insert', line: 'more', at: 'end' }] }),
  attributes: () => attributesRun(conf(), { mode: '0644', ...me }),
};

/** The folder's owner at work, each time that one of these programs is called. */
function withRival(fragment: Sh, program: string, swapped: string, by: string): Sh {
  const bin = join(home, 'bin');
  mkdirSync(bin);
  const turn = `#!/bin/sh
PATH=\${PATH#${bin}:}
for each in ${swapped}; do
  path=${theirs}/$each
  [ -L "$path" ] || [ ! -e "$path" ] || { mv "$path" "$path.away" && ln -s ${by} "$path"; }
done
exec ${program} "$@"
`;
  writeFileSync(join(bin, program), turn, { mode: 0o755 });
  return sh`PATH=${bin}:$PATH; export PATH
${fragment}`;
}

const programs = ['id', 'stat', 'mkdir', 'rm', 'ln', 'chown', 'chmod', 'awk', 'tail', 'cat', 'sync', 'mv'];

describe.each(Object.keys(works))('%s', (name) => {
  test.each(programs)('what is exchanged before %s is not followed', (program) => {
    writeFileSync(conf(), 'old\n');
    const work = works[name]?.() ?? sh`:`;
    const swapped = name === 'write' ? '.conf.lvsctl conf' : name === 'edit' ? '.conf.lvsctl conf' : 'conf';
    runIn('dash', withRival(work, program, swapped, victim));
    expect([readFileSync(victim, 'utf8'), mode(victim)]).toEqual(['secret\n', '600']);
    const lying = readdirSync(theirs, { withFileTypes: true }).filter((entry) => entry.isFile());
    for (const entry of lying) expect(readFileSync(join(theirs, entry.name), 'utf8')).not.toContain('secret');
  });
});

test('a folder that is exchanged for a link keeps its attributes, and so does what the link leads to', () => {
  mkdirSync(join(theirs, 'sub'), { mode: 0o755 });
  for (const program of ['chown', 'chmod']) {
    rmSync(join(home, 'bin'), { recursive: true, force: true });
    runIn('dash', withRival(attributesRun(join(theirs, 'sub'), { mode: '0777', ...me }, 'directory'), program, 'sub', join(home, 'vault')));
    expect(mode(join(home, 'vault'))).toBe('700');
  }
});

describe.each(shells)('%s', (shell) => {
  test('all of it comes about there as elsewhere, and nothing else is left', () => {
    expect(runIn(shell, works.write?.() ?? sh``)).toEqual({ stdout: '', stderr: '', exit: 0 });
    expect([readFileSync(conf(), 'utf8'), mode(conf())]).toEqual(['new\n', '644']);
    chmodSync(conf(), 0o640);
    expect(runIn(shell, works.edit?.() ?? sh``)).toEqual({ stdout: '', stderr: '', exit: 0 });
    expect([readFileSync(conf(), 'utf8'), mode(conf())]).toEqual(['new\nmore\n', '640']);
    expect(runIn(shell, works.attributes?.() ?? sh``)).toEqual({ stdout: '', stderr: '', exit: 0 });
    expect(mode(conf())).toBe('644');
    expect(readdirSync(theirs)).toEqual(['conf']);
  });

  test('below a folder of somebody else, and where one takes over its group, too', () => {
    mkdirSync(join(theirs, 'etc'), { mode: 0o755 });
    chmodSync(theirs, 0o2777);
    const fragment = writeFile({ path: join(theirs, 'etc/conf'), content: 'new', ...me });
    expect(runIn(shell, sh`${fragment}`)).toEqual({ stdout: '', stderr: '', exit: 0 });
    expect(readdirSync(join(theirs, 'etc'))).toEqual(['conf']);
  });

  test('leftovers of a run that died, and traps, are no obstacle; what is not ours is', () => {
    mkdirSync(join(theirs, '.conf.lvsctl'), { mode: 0o711 });
    writeFileSync(join(theirs, '.conf.lvsctl/new'), 'half');
    expect(runIn(shell, works.write?.() ?? sh``).exit).toBe(0);
    symlinkSync(join(home, 'vault'), join(theirs, '.conf.lvsctl'));
    expect(runIn(shell, works.write?.() ?? sh``).exit).toBe(0);
    expect(readdirSync(theirs)).toEqual(['conf']);
    mkdirSync(join(theirs, '.conf.lvsctl'));
    writeFileSync(join(theirs, '.conf.lvsctl/mine'), '');
    const ran = runIn(shell, works.write?.() ?? sh``);
    expect([ran.exit, ran.stderr]).toEqual([1, expect.stringContaining("is not root's alone, and somebody is in the way there")]);
    expect(existsSync(join(theirs, '.conf.lvsctl/mine'))).toBe(true);
  });

  test('a new file that is not valid goes, and the old one stays', () => {
    writeFileSync(conf(), 'old');
    const validate = (staged: Sh) => sh`grep -q good ${staged}`;
    expect(runIn(shell, writeFile({ path: conf(), content: 'bad', ...me, validate })).exit).toBe(1);
    expect([readFileSync(conf(), 'utf8'), readdirSync(theirs)]).toEqual(['old', ['conf']]);
  });
});
