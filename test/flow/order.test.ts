/** What comes when: changes that directors must make together, what is taken away, the director that holds the VIP, a beginning in the middle. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { stepName } from '../../src/plan/omit.ts';
import { type Change, defineTask, sh } from '../../src/task.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

/** /srv/NAME holds the text; with `split` all hosts write it together, with `absent` it is taken away. */
const note = defineTask({
  summary: 'a note',
  params: z.strictObject({
    name: z.string(),
    text: z.string().default(''),
    split: z.boolean().default(false),
    absent: z.boolean().default(false),
  }),
  touches: ({ name }) => [`file:/srv/${name}`],
  probe: ({ name }) => sh`cat ${`/srv/${name}`}`,
  parse: ({ stdout, exit }) => (exit === 0 ? stdout : undefined),
  plan: (seen, { name, text, split, absent }): readonly Change[] => {
    const path = `/srv/${name}`;
    if (absent)
      return seen === undefined
        ? []
        : [{ id: 'away', title: `take away ${name}`, was: seen, will: '', run: sh`rm ${path}`, takesAway: true }];
    if (seen === text) return [];
    const together = split && { risk: 'split' as const, stage: sh`test ! -e /srv/unfit`, notify: ['note.read'] };
    return [{ id: 'write', title: `write ${name}`, was: seen ?? '', will: text, run: sh`printf %s ${text} >${path}`, ...together }];
  },
  settled: ({ name }) => `${name} is as wanted`,
  handlers: () => ({ 'note.read': { run: sh`cat /srv/* >/dev/null` } }),
  example: { name: 'a', text: '', split: false, absent: false },
});
const tasks = new Map([['note', note]]);
const play = (name: string, on: string, ...notes: readonly string[]): string =>
  `- name: ${name}\n  hosts: ${on}\n  tasks:\n${notes.map((params) => `    - note: ${params}\n`).join('')}`;

describe('what directors must agree on', () => {
  const book = play('p', 'directors', '{ name: before, text: x }', '{ name: conf, text: new, split: true }', '{ name: after, text: x }');
  const files = (name: string) => ['dr1', 'dr2'].map((host) => hosts.read(host, name));

  test('is got ready on all of them before it is put in force on any, and read at once', async () => {
    expect(await hosts.deploy(book, { tasks })).toMatchObject({ exitCode: 0, notes: [], batches: [{ name: 'p', hosts: ['dr1', 'dr2'] }] });
    const at = (line: string): number => hosts.story.indexOf(line);
    for (const host of ['dr1', 'dr2']) {
      for (const other of ['dr1', 'dr2']) expect(at(`${host} begin write conf`)).toBeGreaterThan(at(`${other} done get ready: write conf`));
      expect(at(`${host} done handler note.read`)).toBeLessThan(at(`${host} begin write after`));
    }
    expect(files('after')).toEqual(['x', 'x']);
  });

  test('is put in force nowhere when one of them is not fit for it', async () => {
    for (const host of ['dr1', 'dr2']) hosts.write(host, 'conf', 'old');
    hosts.write('dr2', 'unfit', '');
    const report = await hosts.deploy(book, { tasks });
    expect(report.exitCode).toBe(1);
    expect([files('conf'), files('before'), files('after')]).toEqual([
      ['old', 'old'],
      ['x', 'x'],
      [undefined, undefined],
    ]);
    const said = report.hosts.map(({ steps }) => steps[1]?.changes[0]?.output);
    expect(said).toEqual(['dr2 did not get ready: get ready: write conf; nothing was put in force anywhere', '']);
    // The next run goes on from there.
    expect(await hosts.deploy(book, { tasks })).toMatchObject({ exitCode: 1 });
  });

  test('is left everywhere when one of them has failed before, or only a barrier shows it', async () => {
    const fails = `- name: first\n  hosts: dr2\n  max_fail: 1\n  tasks:\n    - command: { run: "false", creates: /srv/never }\n`;
    expect(await hosts.deploy(fails + book, { tasks, maxFail: { hosts: 1 } })).toMatchObject({ exitCode: 1 });
    expect(files('conf')).toEqual([undefined, undefined]);
    const late = book.replace('    - note: { name: conf', '    - barrier: true\n    - note: { name: conf');
    expect(await hosts.deploy(late, { tasks })).toMatchObject({ exitCode: 0, notes: [] });
    expect(files('conf')).toEqual(['new', 'new']);
  });

  test('may be several things; each is put in force together', async () => {
    const two = play('p', 'directors', '{ name: conf, text: new, split: true }', '{ name: other, text: new, split: true }');
    expect(await hosts.deploy(two, { tasks })).toMatchObject({ exitCode: 0, notes: [] });
    expect([files('conf'), files('other')]).toEqual([
      ['new', 'new'],
      ['new', 'new'],
    ]);
  });

  test('cannot stand where a failure would be rescued', async () => {
    const framed = `- name: p\n  hosts: directors\n  tasks:\n    - block:\n        - note: { name: conf, text: new, split: true }\n      rescue: []\n`;
    expect(await hosts.deploy(framed, { tasks })).toMatchObject({ exitCode: 4, touched: false });
  });

  test('is refused where one of them is not in the run, and nothing is touched', async () => {
    const limited = await hosts.deploy(book, { tasks, limit: 'dr1' });
    expect(limited).toMatchObject({ exitCode: 4, summary: { failed: 1 } });
    expect(limited.hosts[0]?.why).toBe(
      'write conf: directors must agree on this, so all change together, and dr2 is not in this run; reach it first, and leave --limit away',
    );
    expect(files('before')).toEqual([undefined, undefined]);
    expect(await hosts.deploy(book, { tasks, unreachable: ['dr2'] })).toMatchObject({ exitCode: 4 });
  });
});

test('what is taken away comes after all that is added, the last play first', async () => {
  const of = (name: string, on: string) => play(name, on, '{ name: new, text: x }', '{ name: old, absent: true }');
  for (const host of ['web1', 'dr1']) hosts.write(host, 'old', 'x');
  const book = of('real servers', 'web1') + of('directors', 'dr1');
  const report = await hosts.deploy(book, { tasks });
  expect(report).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 4 } });
  expect(hosts.story.filter((line) => line.includes(' done '))).toEqual([
    'web1 done write new',
    'dr1 done write new',
    'dr1 done take away old',
    'web1 done take away old',
  ]);
  expect(report.hosts.map(({ name, steps }) => [name, steps.map(({ status }) => status)])).toEqual([
    ['dr1', ['changed', 'changed']],
    ['web1', ['changed', 'changed']],
  ]);
});

test('what is taken away behind a barrier is taken away', async () => {
  hosts.write('web1', 'old', 'x');
  const book = `${play('p', 'web1', '{ name: new, text: x }')}    - barrier: true\n    - note: { name: old, absent: true }\n`;
  expect(await hosts.deploy(book, { tasks })).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 2 } });
  expect(hosts.read('web1', 'old')).toBeUndefined();
});

test('nothing is taken away while a host has failed, even where one may', async () => {
  const book =
    play('real servers', 'web1', '{ name: old, absent: true }') +
    play('directors', 'dr1', '{ name: new, text: x }', '{ name: nowhere/x, text: x }');
  hosts.write('web1', 'old', 'x');
  const report = await hosts.deploy(book, { tasks, maxFail: { hosts: 1 } });
  expect(report.exitCode).toBe(1);
  expect(report.notes[0]).toBe('not begun, because not every host is as it should be: real servers: what is taken away');
  expect([hosts.read('dr1', 'new'), hosts.read('web1', 'old')]).toEqual(['x', 'x']);
});

test('a run may begin with any task, and steps that somebody said no to are left out without a complaint', async () => {
  const book = play('p', 'web1', '{ name: a, text: x }', '{ name: b, text: x }', '{ name: c, text: x }').replace(
    'note: { name: b',
    'name: second\n      note: { name: b',
  );
  expect((await hosts.plan(book, { tasks, startAt: 'second' })).summary.changed).toBe(2);
  const leaveOut = new Set([stepName('web1', '0.1')]);
  expect(await hosts.deploy(book, { tasks, answer: () => ({ leaveOut }) })).toMatchObject({
    exitCode: 0,
    notes: [],
    summary: { changed: 2 },
  });
  expect(['a', 'b', 'c'].map((name) => hosts.read('web1', name))).toEqual(['x', undefined, 'x']);
  expect(await hosts.deploy(book, { tasks, answer: () => false })).toMatchObject({ exitCode: 2, summary: { changed: 1 } });
});
