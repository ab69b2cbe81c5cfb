/** What was there before the first change is kept on the host and put back, by real runs on real files. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const book = (...tasks: readonly string[]): string =>
  `- name: p\n  hosts: web1\n  tasks:\n${tasks.map((task) => `    - name: ${task.split(':')[0]}\n      ${task}\n`).join('')}`;
const write = (name: string, content: string): string => `copy: { dest: "/srv/${name}", content: "${content}", make_parent: true }`;
const restore = book('restore: { what: ["*"] }');
const titles = (report: Awaited<ReturnType<IsolatedFleet['deploy']>>) =>
  report.hosts.flatMap(({ steps }) => steps.flatMap(({ changes }) => changes.map(({ title, status }) => `${title}: ${status}`)));

describe('a file', () => {
  test('that was there gets its content, owner and mode back; one that was not goes, with the folders that were made for it', async () => {
    hosts.write('web1', 'old', 'mine\n');
    expect(await hosts.deploy(book(write('old', 'new'), write('made/for/it', 'new')))).toMatchObject({ exitCode: 0 });
    expect(hosts.read('web1', 'old')).toBe('new');
    const back = await hosts.deploy(restore);
    expect(back).toMatchObject({ exitCode: 0, notes: [] });
    expect(titles(back)).toEqual([
      'remove the file /srv/made/for/it: done',
      'remove the directory /srv/made/for: done',
      'remove the directory /srv/made: done',
      'put back the file /srv/old: done',
    ]);
    expect([hosts.read('web1', 'old'), hosts.read('web1', 'made/for/it')]).toEqual(['mine\n', undefined]);
    expect(await hosts.plan(restore)).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
  });

  test('is kept as it was before the first of several deploys', async () => {
    hosts.write('web1', 'old', 'mine\n');
    await hosts.deploy(book(write('old', 'one')));
    await hosts.deploy(book(write('old', 'two')));
    await hosts.deploy(restore);
    expect(hosts.read('web1', 'old')).toBe('mine\n');
  });

  test('that somebody has changed since is left, said, and put back only when told', async () => {
    hosts.write('web1', 'old', 'mine\n');
    await hosts.deploy(book(write('old', 'new'), write('other', 'new')));
    hosts.write('web1', 'old', 'theirs\n');
    const left = await hosts.deploy(restore);
    expect(left.exitCode).toBe(1);
    expect(left.notes).toEqual([expect.stringMatching(/^left as it is: web1: file \/srv\/old: somebody has changed it since/)]);
    expect([hosts.read('web1', 'old'), hosts.read('web1', 'other')]).toEqual(['theirs\n', undefined]);
    expect(await hosts.plan(restore)).toMatchObject({ exitCode: 1, touched: false });
    expect(await hosts.deploy(book('restore: { what: ["*"], force: true }'))).toMatchObject({ exitCode: 0, notes: [] });
    expect(hosts.read('web1', 'old')).toBe('mine\n');
  });

  test('that lvsctl itself has written again is not taken for one that somebody changed', async () => {
    await hosts.deploy(book(write('a', 'one'), 'line_in_file: { path: /srv/a, line: two }'));
    expect(await hosts.deploy(restore)).toMatchObject({ exitCode: 0, notes: [] });
    expect(hosts.read('web1', 'a')).toBeUndefined();
  });

  test('with no right to be read by everybody shows nothing of what is in it', async () => {
    await hosts.deploy(
      book('copy: { dest: /srv/key, content: "hush-hush", mode: "0640" }', 'copy: { dest: /srv/page, content: "for all" }'),
    );
    const shown = JSON.stringify(await hosts.plan(restore));
    expect([shown.includes('hush-hush'), shown.includes('for all')]).toEqual([false, true]);
  });

  test('that is as it was has nothing to be put back: only its record goes', async () => {
    await hosts.deploy(book(write('a', 'one')));
    await hosts.deploy(book('file: { path: /srv/a, state: absent }'));
    // What lvsctl keeps on a host goes with the last record.
    expect(() => hosts.read('web1', '../lib/lvsctl')).toThrow('EISDIR');
    expect(titles(await hosts.deploy(restore))).toEqual(['forget how one thing was that is as before: done']);
    expect(hosts.read('web1', '../lib/lvsctl')).toBeUndefined();
  });
});

test('a folder is not taken away with what others have put in it; that is said each time', async () => {
  await hosts.deploy(book(write('made/ours', 'x')));
  hosts.write('web1', 'made/theirs', 'y');
  const left = await hosts.deploy(restore);
  expect(left.notes).toEqual([
    expect.stringMatching(/still to be done.*remove the directory \/srv\/made \(the last time: there is something in it/),
  ]);
  expect([hosts.read('web1', 'made/theirs'), hosts.read('web1', 'made/ours')]).toEqual(['y', undefined]);
});

test('a change that fails, or is not made, leaves nothing to be put back', async () => {
  hosts.write('web1', 'old', 'mine\n');
  const failing = book('command: { run: "false", creates: /srv/never }', write('old', 'new'));
  expect(await hosts.deploy(failing)).toMatchObject({ exitCode: 1 });
  expect(titles(await hosts.deploy(restore))).toEqual(['forget how one thing was that is as before: done']);
  expect(hosts.read('web1', 'old')).toBe('mine\n');
});

test('names with all that a shell minds stay names', async () => {
  const name = `it's $(touch /srv/evil) * [a] \\"; rm -rf`;
  await hosts.deploy(book(write(name.replaceAll('\\', '\\\\').replaceAll('"', '\\"'), 'new')));
  const back = await hosts.deploy(restore);
  expect(back).toMatchObject({ exitCode: 0, notes: [] });
  expect([hosts.read('web1', name), hosts.read('web1', 'evil')]).toEqual([undefined, undefined]);
});

test('only what a pattern names, and is not excepted, is put back', async () => {
  await hosts.deploy(book(write('a.conf', 'x'), write('b.conf', 'x'), write('c.txt', 'x')));
  await hosts.deploy(book('restore: { what: ["file:/srv/*.conf"], except: ["file:/srv/b*"] }'));
  expect(['a.conf', 'b.conf', 'c.txt'].map((name) => hosts.read('web1', name))).toEqual([undefined, 'x', 'x']);
});

test('a run that has nothing to do keeps nothing', async () => {
  hosts.write('web1', 'old', 'mine\n');
  await hosts.deploy(book('file: { path: /srv/old, content: "mine\\n" }'));
  expect(titles(await hosts.plan(restore))).toEqual([]);
});
