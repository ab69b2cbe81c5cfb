/** Files put back as they were before a run, by real runs on real files. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type Change, defineCheck, defineTask, type Finding, sh } from '../../src/task.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

// Runs after runs, for real: they take their time on a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

interface File {
  readonly name: string;
  readonly content: string;
  readonly mode?: string;
}

const handler = (name: string): string => `    - { name: ${name}, command: { run: "echo ${name} >>/srv/told" } }\n`;

/** Writes files, and tells of it once. */
const book = (files: readonly File[], play = 'hosts: web1', more = ''): string => `- name: p
  ${play}
  tasks:
${files
  .map(
    ({ name, content, mode = '0644' }) =>
      `    - { name: ${name}, copy: { dest: /srv/${name}, content: "${content}", mode: "${mode}" }, notify: reload }\n`,
  )
  .join('')}${more}  handlers:
${handler('reload')}`;

const deploy = (content: Readonly<Record<string, string>>, play?: string) =>
  hosts.deploy(
    book(
      Object.entries(content).map(([name, text]) => ({ name, content: text })),
      play,
    ),
  );
const rollback: IsolatedFleet['rollback'] = (wanted, options) => hosts.rollback(wanted, { limit: 'web1', ...options });
const files = (host = 'web1', names = ['a', 'b']) => names.map((name) => hosts.read(host, name));
const done = (): readonly string[] => hosts.story.flatMap((line) => /^(\w+) done (.*)$/.exec(line)?.slice(1).join(': ') ?? []);
const said = (host: string, script: string): readonly string[] => {
  hosts.shell(host, `cd /var/lib/lvsctl/versions && { ${script}\n} >/srv/said`);
  return hosts.read(host, 'said')?.split('\n').slice(0, -1) ?? [];
};

test('the last run is undone: content and mode come back, what was not there goes, handlers run once, nothing else is touched', async () => {
  await hosts.deploy(book([{ name: 'a', content: 'A', mode: '0640' }]));
  await hosts.deploy(
    book([
      { name: 'a', content: 'B' },
      { name: 'b', content: 'B' },
    ]),
  );
  hosts.write('web1', 'told', '');
  hosts.write('web1', 'theirs', 'mine');
  const report = await rollback();
  expect(report).toMatchObject({ exitCode: 0, notes: [], summary: { failed: 0, changed: 3 } });
  expect(files('web1', ['a', 'b', 'theirs', 'told'])).toEqual(['A', undefined, 'mine', 'reload\n']);
  hosts.shell('web1', 'stat -c %a /srv/a >/srv/mode');
  expect(hosts.read('web1', 'mode')).toBe('640\n');
  expect(done()).toEqual([
    'web1: try all 2 files together in a copy, as reload would',
    'web1: put back /srv/a',
    'web1: remove /srv/b, which was not there before',
    'web1: handler reload',
  ]);
});

test('--check says what would be done, with diffs, and changes nothing', async () => {
  await deploy({ a: 'A' });
  await deploy({ a: 'B', b: 'B' });
  const report = await rollback({}, { check: true });
  expect(report).toMatchObject({ exitCode: 2, touched: false, batches: [{ name: 'Put back: backends', hosts: ['web1'] }] });
  const changes = report.hosts.flatMap(({ steps }) => steps.flatMap((step) => step.changes));
  expect(changes.flatMap(({ diff }) => diff.filter((line) => /^[+-][AB]$/.test(line)))).toEqual(['-B', '+A', '-B']);
  expect(files()).toEqual(['B', 'B']);
  expect(await rollback({ before: 'run-2' })).toMatchObject({ exitCode: 0 });
});

test('a rollback is a run like any other: it can be undone, by its name', async () => {
  await deploy({ a: 'A' });
  await deploy({ a: 'B', b: 'B' });
  await rollback();
  await expect(rollback()).rejects.toThrow(
    /the last run \(run-3\) was a rollback itself: lvsctl rollback inventory\/dr.yaml --before run-2/,
  );
  hosts.write('web1', 'told', '');
  expect(await rollback({ before: 'run-3' })).toMatchObject({ exitCode: 0, notes: [] });
  expect([...files(), hosts.read('web1', 'told')]).toEqual(['B', 'B', 'reload\n']);
  // The same words again have nothing to do.
  expect(await rollback({ before: 'run-3' })).toMatchObject({ exitCode: 0, touched: false });
});

test('--to a run undoes all later ones, each file as far as it was changed', async () => {
  await deploy({ a: '1', b: '1' });
  await deploy({ a: '2' });
  await deploy({ b: '3' });
  await deploy({ a: '4' });
  expect(await rollback({ to: 'run-2' })).toMatchObject({ exitCode: 0, notes: [] });
  expect(files()).toEqual(['2', '1']);
  expect(await rollback({ to: 'run-1' })).toMatchObject({ exitCode: 0 });
  expect(files()).toEqual(['1', '1']);
  expect(await rollback({ to: 'run-4' })).toMatchObject({ exitCode: 0 });
  expect(files()).toEqual(['4', '3']);
});

describe('a file that somebody has changed since', () => {
  beforeEach(async () => {
    await deploy({ a: 'A', b: 'A' });
    await deploy({ a: 'B', b: 'B' });
    hosts.write('web1', 'a', 'theirs');
  });

  test('is not overwritten, and then no other is put back either', async () => {
    const report = await rollback();
    expect(report).toMatchObject({ exitCode: 4, touched: false });
    expect(report.hosts.flatMap(({ steps }) => steps.map(({ why }) => why)).join()).toMatch(
      /^\/srv\/a: somebody has changed it since lvsctl wrote it/,
    );
    expect(files()).toEqual(['theirs', 'B']);
  });

  test('is, when told', async () => {
    expect(await rollback({ force: true })).toMatchObject({ exitCode: 0, notes: [] });
    expect(files()).toEqual(['A', 'A']);
  });

  test('to what it was before needs nothing', async () => {
    hosts.write('web1', 'a', 'A');
    expect(await rollback()).toMatchObject({ exitCode: 0, notes: [] });
    expect(files()).toEqual(['A', 'A']);
  });

  test('between plan and change is left, and said', async () => {
    hosts.write('web1', 'a', 'B');
    const report = await rollback(
      {},
      {
        answer: () => {
          hosts.write('web1', 'a', 'theirs');
          return { leaveOut: new Set() };
        },
      },
    );
    expect(report.exitCode).toBe(1);
    expect(files('web1', ['a'])).toEqual(['theirs']);
  });
});

test('a rollback that was stopped half-way goes on with the same words, and handlers run', async () => {
  await deploy({ a: 'A', b: 'A' });
  await deploy({ a: 'B', b: 'B' });
  hosts.write('web1', 'told', '');
  const stopping = new AbortController();
  const { story } = hosts;
  const watch = setInterval(() => story.some((line) => line.startsWith('web1 begin put back /srv/a')) && stopping.abort(), 5);
  const first = await rollback({}, { stop: stopping.signal });
  clearInterval(watch);
  expect(first.exitCode).toBe(130);
  expect(first.notes.join()).toMatch(/"lvsctl rollback inventory\/dr.yaml --before run-2" goes on from here/);
  const second = await rollback({ before: 'run-2' });
  expect(second).toMatchObject({ exitCode: 0, notes: [] });
  expect(files()).toEqual(['A', 'A']);
  expect(hosts.read('web1', 'told')).toBe('reload\n');
});

test('a run on several hosts is undone on each of them, and on no other', async () => {
  await deploy({ a: 'A' }, 'hosts: backends');
  await deploy({ a: 'C' }, 'hosts: web2');
  await deploy({ a: 'B' }, 'hosts: backends');
  await rollback({}, { limit: 'all' });
  expect([...files('web1', ['a']), ...files('web2', ['a'])]).toEqual(['A', 'C']);
});

test('who does not answer may be the one that was changed last', async () => {
  await deploy({ a: 'A' }, 'hosts: backends');
  await deploy({ a: 'B' }, 'hosts: web1');
  await expect(rollback({}, { limit: 'all', unreachable: ['web1'] })).rejects.toThrow(/which run was the last is not known/);
  expect(await rollback({ before: 'run-1' }, { limit: 'all', unreachable: ['web1'] })).toMatchObject({ exitCode: 5, touched: false });
});

test('what is kept is for root alone, and only of files that were changed', async () => {
  await deploy({ a: 'A', b: 'same' });
  await deploy({ a: 'B', b: 'same' });
  // A copy has the mode of its file, in a folder that nobody else can enter.
  expect(said('web1', "stat -c '%a %U' . */ */*/ | sort -u; find . -type f ! -name copy -printf '%m %u\\n' | sort -u")).toEqual([
    ...['700 root', '600 root'],
  ]);
  expect(said('web1', 'cat */*/name')).toEqual(['/srv/a', '/srv/b', '/srv/a']);
});

test('only the last ten runs are kept; a rollback drops none of them', async () => {
  for (let number = 1; number <= 12; number += 1) await deploy({ a: String(number) });
  expect(said('web1', 'ls -d *-*')).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((number) => `${100000 + number}-run-${number}`));
  await expect(rollback({ before: 'run-2' })).rejects.toThrow(/no run run-2 is kept on these hosts/);
  await rollback({ before: 'run-3' });
  expect(files('web1', ['a'])).toEqual(['2']);
});

test('a file of more than a megabyte is not kept, and that is said before anything is touched', async () => {
  await deploy({ b: 'A' });
  hosts.shell('web1', 'truncate -s 1100000 /srv/a');
  await deploy({ a: 'B', b: 'B' });
  expect(await rollback()).toMatchObject({ exitCode: 4, touched: false });
  expect(await rollback({ force: true })).toMatchObject({
    exitCode: 1,
    notes: ['left as it is: web1: /srv/a: what was there was too large to be kept'],
  });
  expect(files()).toEqual(['B', 'A']);
});

describe('handlers that validate', () => {
  const valid = defineTask({
    summary: 'a file that is valid with the word good in it',
    params: z.strictObject({ content: z.string() }),
    touches: () => ['file:/srv/conf'],
    probe: () => sh`cat /srv/conf`,
    parse: ({ stdout }) => stdout,
    plan: (seen, { content }): readonly Change[] =>
      seen === content
        ? []
        : [
            {
              id: 'content:/srv/conf',
              title: 'write it',
              was: seen,
              will: content,
              run: sh`printf %s ${content} >/srv/conf`,
              notify: ['load'],
            },
          ],
    settled: () => 'it is',
    handlers: () => ({ load: { validate: sh`grep -q good /srv/conf || { echo bad; exit 1; }`, run: sh`cp /srv/conf /srv/loaded` } }),
    example: { content: 'good' },
  });
  const tasks = new Map([['valid', valid]]);
  const write = (content: string) =>
    hosts.deploy(`- { name: p, hosts: web1, tasks: [{ name: it, valid: { content: "${content}" } }] }`, { tasks });

  test('look at what would be put back where nothing is touched by it', async () => {
    hosts.write('web1', 'conf', 'nonsense');
    await write('good');
    const report = await rollback();
    expect(report.exitCode).toBe(1);
    expect(report.hosts.flatMap(({ steps }) => steps.flatMap(({ changes }) => changes.map(({ status }) => status)))).toEqual([
      'failed',
      'not-run',
    ]);
    expect(report.hosts[0]?.steps[0]?.changes[0]?.output).toMatch(
      /bad\n.*load: what would be put back is not valid here; nothing was changed/,
    );
    expect([hosts.read('web1', 'conf'), hosts.read('web1', 'loaded')]).toEqual(['good', 'good']);
  });

  test('are those of the run that is undone, and are kept for the way back of the way back', async () => {
    await write('good 1');
    await write('good 2');
    await rollback();
    expect(hosts.read('web1', 'loaded')).toBe('good 1');
    hosts.shell('web1', 'rm -r /var/lib/lvsctl/versions/*-run-[12]');
    await rollback({ before: 'run-3' });
    expect(hosts.read('web1', 'loaded')).toBe('good 2');
  });
});

test('what directors change in the same instant changes back in the same instant, on all of them or on none', async () => {
  const pair = defineTask({
    summary: 'what directors must agree on',
    params: z.strictObject({ content: z.string() }),
    touches: () => ['file:/srv/shared'],
    probe: () => sh`cat /srv/shared`,
    parse: ({ stdout }) => stdout,
    plan: (seen, { content }): readonly Change[] => {
      const write = { id: 'content:/srv/shared', title: 'write it', was: seen, will: content, run: sh`printf %s ${content} >/srv/shared` };
      return seen === content ? [] : [{ ...write, notify: ['load'], ...(seen !== '' && { risk: 'split' as const, stage: sh`:` }) }];
    },
    settled: () => 'it is',
    handlers: () => ({ load: { run: sh`cp /srv/shared /srv/loaded` } }),
    example: { content: 'a' },
  });
  const seen: string[] = [];
  const gate = defineCheck({
    summary: 'g',
    params: z.strictObject({}),
    from: ['director'],
    probe: () => sh`cat /srv/loaded`,
    expect: (looks): readonly Finding[] =>
      looks.map(({ host, output }) => {
        seen.push(`${host.name} ${output.stdout}`);
        return { status: 'pass', host: host.name, found: '', expected: '', fix: '' };
      }),
    example: {},
  });
  const options = { tasks: new Map([['pair', pair]]), checks: new Map([['keepalived_service', gate]]) };
  for (const content of ['A', 'B'])
    await hosts.deploy(`- { name: p, hosts: directors, tasks: [{ name: it, pair: { content: "${content}" } }] }`, options);
  expect(await rollback({}, { ...options, limit: 'dr1' })).toMatchObject({ exitCode: 4, touched: false });
  expect(await rollback({}, { ...options, limit: 'directors' })).toMatchObject({ exitCode: 0, notes: [] });
  const at = (host: string, what: string): number => hosts.story.indexOf(`${host} ${what} /srv/shared`);
  const ready = Math.max(...['dr1', 'dr2'].map((host) => at(host, 'done get ready: put back')));
  expect(ready).toBeGreaterThan(0);
  for (const host of ['dr1', 'dr2']) expect(at(host, 'begin put back')).toBeGreaterThan(ready);
  expect([hosts.read('dr1', 'loaded'), hosts.read('dr2', 'loaded')]).toEqual(['A', 'A']);
  expect(seen.sort()).toEqual(['dr1 A', 'dr2 A']);
});

test('a run that changes no file is none to go back to; where there is none at all that is said', async () => {
  await hosts.deploy('- { name: p, hosts: web1, tasks: [{ name: x, command: { run: "touch /srv/x", unless: "[ -e /srv/x ]" } }] }');
  await expect(rollback()).rejects.toThrow(/no run that changed files is kept/);
});

test('a teardown that leaves nothing of lvsctl leaves nothing to roll back', async () => {
  await deploy({ a: 'A' });
  await deploy({ a: 'B' });
  await hosts.deploy('- { name: p, hosts: web1, tasks: [{ name: all, restore: { what: ["*"] } }] }');
  expect([...files(), hosts.read('web1', '../lib/lvsctl')]).toEqual([undefined, undefined, undefined]);
});

test('teardown knows a file that was put back for ours', async () => {
  await deploy({ a: 'A' });
  await deploy({ a: 'B' });
  await rollback();
  expect(await hosts.deploy('- { name: p, hosts: web1, tasks: [{ name: all, restore: { what: ["*"] } }] }')).toMatchObject({
    exitCode: 0,
    notes: [],
  });
  expect(files()).toEqual([undefined, undefined]);
});
