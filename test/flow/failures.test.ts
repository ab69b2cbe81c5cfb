/** What a failure stops and what it does not: blocks with rescue and always, retries, budgets, gates. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Artefact, defineCheck, defineTask, sh } from '../../src/task.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const play = (tasks: string, settings = 'hosts: web1'): string => `- name: p\n  ${settings}\n  tasks:\n${tasks}`;
const does = (name: string, run: string, indent = 4): string =>
  `${' '.repeat(indent)}- { name: ${name}, command: { run: "${run}", creates: /srv/${name} } }\n`;
const touch = (name: string, indent = 4): string => does(name, `touch /srv/${name}`, indent);
const fails = (name: string, indent = 4): string => does(name, 'false', indent);

describe('a block', () => {
  const block = (body: string, rescue: string, always: string): string =>
    `    - name: careful\n      block:\n${body}      rescue:\n${rescue}      always:\n${always}`;

  test('that fails is rescued: what follows it in the block is left, the host goes on and has not failed', async () => {
    const book = play(
      `${block(touch('one', 8) + fails('two', 8) + touch('three', 8), touch('mend', 8), touch('tidy', 8))}${touch('after')}`,
    );
    const report = await hosts.deploy(book);
    expect(['one', 'three', 'mend', 'tidy', 'after'].filter((name) => hosts.read('web1', name) !== undefined)).toEqual([
      'one',
      'mend',
      'tidy',
      'after',
    ]);
    expect(report).toMatchObject({ exitCode: 0, notes: [], summary: { failed: 0, rescued: 1, changed: 4 } });
    const statuses = report.hosts[0]?.steps.map(({ name, status }) => `${name} ${status}`);
    expect(statuses).toEqual(['one changed', 'two rescued', 'three not-run', 'mend changed', 'tidy changed', 'after changed']);
  });

  test('that does not fail leaves its rescue alone, and a plan does not count it', async () => {
    const book = play(block(touch('one', 8), touch('mend', 8), touch('tidy', 8)));
    expect((await hosts.plan(book)).summary).toMatchObject({ changed: 2, skipped: 1 });
    expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 2, rescued: 0 } });
    expect(hosts.read('web1', 'mend')).toBeUndefined();
    expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
  });

  test('whose rescue fails too has failed, after its always', async () => {
    const report = await hosts.deploy(play(`${block(fails('one', 8), fails('mend', 8), touch('tidy', 8))}${touch('after')}`));
    expect(report).toMatchObject({ exitCode: 1, summary: { failed: 2 } });
    expect([hosts.read('web1', 'tidy'), hosts.read('web1', 'after')]).toEqual(['', undefined]);
  });

  test('in a block hands its failure on: the inner always runs, then the outer rescue', async () => {
    const inner = `        - block:\n${fails('one', 12)}          always:\n${touch('inner', 12)}${touch('rest', 8)}`;
    const report = await hosts.deploy(play(block(inner, touch('mend', 8), touch('tidy', 8))));
    expect(report).toMatchObject({ exitCode: 0, summary: { rescued: 1 } });
    expect(['inner', 'rest', 'mend', 'tidy'].map((name) => hosts.read('web1', name))).toEqual(['', undefined, '', '']);
  });

  test('with only an always runs it, and the host has failed', async () => {
    const report = await hosts.deploy(play(`    - block:\n${fails('one', 8)}      always:\n${touch('tidy', 8)}${touch('after')}`));
    expect(report).toMatchObject({ exitCode: 1, summary: { failed: 1, rescued: 0 } });
    expect([hosts.read('web1', 'tidy'), hosts.read('web1', 'after')]).toEqual(['', undefined]);
  });
});

test('rescue and always are asked on the host whether they are needed: the body comes between the look and them', async () => {
  hosts.write('web1', 'in-use', 'old\n');
  const command = (name: string, run: string, unless: string): string =>
    `        - { name: ${name}, command: { run: "${run}", unless: "${unless}" } }\n`;
  const book = play(
    `    - block:\n${command('new', 'echo new >/srv/in-use; touch /srv/half', 'grep -q new /srv/in-use')}${fails('broken', 8)}      rescue:\n${command('old again', 'echo old >/srv/in-use', 'grep -q old /srv/in-use')}      always:\n${command('tidy', 'rm /srv/half', '[ ! -e /srv/half ]')}`,
  );
  expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, notes: [], summary: { rescued: 1 } });
  expect([hosts.read('web1', 'in-use'), hosts.read('web1', 'half')]).toEqual(['old\n', undefined]);
  // Where the body has nothing to do, neither has what follows from it.
  const settled = play(`    - block:\n${touch('done', 8)}      always:\n${command('tidy', 'rm /srv/half', '[ ! -e /srv/half ]')}`);
  hosts.write('web1', 'done', '');
  expect(await hosts.plan(settled)).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
});

test('what a host prints is shown without its secrets, and a secret that it says is one again when it is used', async () => {
  const secrets = { db: 'hunter2hunter2' };
  const leak = play(`    - { name: leak, command: { run: "echo hunter2hunter2; false", creates: /srv/x } }\n`);
  const failed = await hosts.deploy(leak, { secrets });
  expect(failed.hosts[0]?.steps[0]?.changes[0]).toMatchObject({ status: 'failed', output: '[secret db]' });
  hosts.write('web1', 'key', 'hunter2hunter2\n');
  const use = `    - { name: ask, query: { run: "cat /srv/key" }, register: key }\n    - barrier: true\n    - { name: use, command: { run: "echo <%= registered.key.lines[0] %> >/srv/copy", creates: /srv/copy } }\n`;
  const planned = await hosts.plan(play(use), { secrets });
  expect(JSON.stringify(planned.hosts[0]?.steps.map(({ changes }) => changes))).not.toContain('hunter2');
  expect(await hosts.deploy(play(use), { secrets })).toMatchObject({ exitCode: 0, notes: [] });
  expect(hosts.read('web1', 'copy')).toBe('hunter2hunter2\n');
});

test('what fails is tried again as often as retries says', async () => {
  const flaky = (name: string, times: number): string => `echo x >>/srv/tries; [ $(wc -l </srv/tries) -ge ${times} ] && touch /srv/${name}`;
  const task = (name: string, times: number): string =>
    `    - { name: ${name}, retries: 2, delay: 0, command: { run: "${flaky(name, times)}", creates: /srv/${name} } }\n`;
  expect(await hosts.deploy(play(task('third', 3)))).toMatchObject({ exitCode: 0 });
  expect(hosts.read('web1', 'tries')).toBe('x\nx\nx\n');
  hosts.write('web1', 'tries', '');
  expect(await hosts.deploy(play(task('fourth', 4)))).toMatchObject({ exitCode: 1, summary: { failed: 1 } });
  expect(hosts.read('web1', 'tries')).toBe('x\nx\nx\n');
});

describe('a rollout', () => {
  const everyHost = 'hosts: "dr1:dr2:web1:web2"';
  const breaksOn = (host: string): string =>
    play(`    - { name: a, command: { run: "[ <%= host.name %> != ${host} ] && touch /srv/a", creates: /srv/a } }\n`, everyHost);

  test('takes one host after another, and stops at the first that fails, saying how to go on', async () => {
    const report = await hosts.deploy(breaksOn('dr2'));
    expect(hosts.story).toEqual([
      'dr1 begin run [ dr1 != dr2 ] && touch /srv/a',
      'dr1 done run [ dr1 != dr2 ] && touch /srv/a',
      'dr2 begin run [ dr2 != dr2 ] && touch /srv/a',
      'dr2 failed run [ dr2 != dr2 ] && touch /srv/a',
    ]);
    expect(report.exitCode).toBe(1);
    expect(report.notes).toEqual([
      'not begun, because more hosts failed than may: p (web1)',
      'not begun, because more hosts failed than may: p (web2)',
      'when that is mended, "lvsctl deploy inventory/dr.yaml" goes on from here: what has been done is not done again',
    ]);
  });

  test('goes on where as many may fail; the failed one has no part in later plays', async () => {
    const book = `${breaksOn('dr2')}${play(touch('b'), everyHost)}`;
    const report = await hosts.deploy(book, { maxFail: { percent: 25 } });
    expect(['dr1', 'dr2', 'web1', 'web2'].map((host) => hosts.read(host, 'b'))).toEqual(['', undefined, '', '']);
    expect(report).toMatchObject({ exitCode: 1, notes: [] });
  });

  test('with a batch size of its own takes so many at once, the last size for all that follow', async () => {
    const book = breaksOn('nobody').replace('hosts:', 'serial: [1, 50%]\n  hosts:');
    expect((await hosts.plan(book)).batches.map((batch) => batch.hosts)).toEqual([['dr1'], ['dr2', 'web1'], ['web2']]);
    expect((await hosts.plan(book, { serial: { percent: 100 } })).batches.map((batch) => batch.hosts)).toEqual([
      ['dr1', 'dr2', 'web1', 'web2'],
    ]);
  });

  test('counts an absent host as failed, before anything is touched', async () => {
    const report = await hosts.deploy(breaksOn('nobody'), { unreachable: ['web2'] });
    expect(report).toMatchObject({ exitCode: 5, summary: { unreachable: 1 } });
    expect(report.notes).toEqual([
      `nothing was touched: web2 does not answer, and none may fail; mend that, leave out (--limit 'all:!web2') or allow it (--max-fail 1)`,
    ]);
    expect(hosts.story).toEqual([]);
    expect(await hosts.deploy(breaksOn('nobody'), { unreachable: ['web2'], maxFail: { hosts: 1 } })).toMatchObject({
      exitCode: 5,
      summary: { changed: 3 },
    });
  });

  test('counts a failure in the play in which it was', async () => {
    const first = breaksOn('web2').replace('hosts:', 'max_fail: 1\n  hosts:');
    const report = await hosts.deploy(`${first}${play(touch('b'), everyHost)}`);
    expect(['dr1', 'dr2', 'web1', 'web2'].map((host) => hosts.read(host, 'b'))).toEqual(['', '', '', undefined]);
    expect(report).toMatchObject({ exitCode: 1, notes: [] });
  });

  test('does not wait for a build that failed in a block, or that nobody begins', async () => {
    const artefact: Artefact = { key: 'thing-1', title: 'build a thing', sources: [], build: sh`exit 1`, timeout: 5 };
    const thing = defineTask({
      summary: 'a thing',
      params: z.strictObject({}),
      touches: () => ['file:/srv/thing'],
      probe: () => sh`[ -e /srv/thing ]`,
      parse: ({ exit }) => exit === 0,
      plan: (seen) =>
        seen ? [] : [{ id: 'install', title: 'install a thing', was: '', will: 'thing\n', run: sh`touch /srv/thing`, consumes: artefact }],
      settled: () => 'there is a thing',
      example: {},
    });
    const tasks = new Map([['thing', thing]]);
    const report = await hosts.deploy(
      `- name: p\n  hosts: backends\n  serial: 2\n  tasks:\n    - block:\n        - thing: {}\n      rescue: []\n`,
      { tasks },
    );
    expect(report.hosts.map(({ name, steps }) => [name, steps[0]?.status])).toEqual([
      ['web1', 'rescued'],
      ['web2', 'failed'],
    ]);
    expect(report.exitCode).toBe(1);
  });

  test('stops at a gate that does not open, and calls that not verified', async () => {
    const word = defineCheck({
      summary: 'a is there and is not empty',
      params: z.strictObject({}),
      from: ['backend'],
      probe: () => sh`cat /srv/a`,
      expect: (looks) =>
        looks.map(({ host, output }) => ({
          status: output.stdout === 'good\n' ? ('pass' as const) : ('fail' as const),
          host: host.name,
          found: output.stdout.trim(),
          expected: 'good',
          fix: 'write it',
        })),
      example: {},
    });
    const book = `${play(`    - { name: a, command: { run: "echo bad >/srv/a", creates: /srv/a } }\n`, 'hosts: backends')}  gate:\n    - word: {}\n`;
    const report = await hosts.deploy(book, { checks: new Map([['word', word]]) });
    expect(report).toMatchObject({ exitCode: 3, checks: [{ id: 'word', host: 'web1', status: 'fail' }] });
    expect(report.notes[0]).toBe('not begun, because the gate before it does not open: p (web2)');
    expect(hosts.read('web2', 'a')).toBeUndefined();
  });

  const gated = (from: 'backend' | 'director', probe: string, verdict: 'pass' | 'fail') =>
    new Map([
      [
        'word',
        defineCheck({
          ...{ summary: 'a word', params: z.strictObject({}), from: [from], probe: () => sh`sh -c -- ${probe}`, example: {} },
          expect: (looks) => looks.map(({ host }) => ({ status: verdict, host: host.name, found: 'x', expected: 'y', fix: '' })),
        }),
      ],
    ]);
  const behindGate = (tasks: string): string => `${play(tasks, 'hosts: backends')}  gate:\n    - word: {}\n`;

  test('looks through its gate from hosts outside of the play too; one that cannot see stays closed', async () => {
    const outside = await hosts.deploy(behindGate(touch('a')), { checks: gated('director', ':', 'fail') });
    expect(outside).toMatchObject({ exitCode: 3, checks: [{ host: 'dr1' }, { host: 'dr2' }] });
    expect(hosts.read('web2', 'a')).toBeUndefined();
    const blind = await hosts.deploy(behindGate(touch('b')), {
      checks: gated('backend', 'kill -9 $(cut -d" " -f4 /proc/$PPID/stat)', 'pass'),
    });
    expect(blind.exitCode).toBe(3);
    expect(hosts.read('web2', 'b')).toBeUndefined();
  });

  test('opens its gate once for each host, when all its phases are done and it has not failed', async () => {
    const phases = `${touch('down')}    - barrier: true\n${does('up', 'rm /srv/down; touch /srv/up')}`;
    const check = gated('backend', '[ ! -e /srv/down ] || touch /srv/seen-down', 'pass');
    await hosts.deploy(behindGate(phases), { checks: check });
    expect([hosts.read('web1', 'seen-down'), hosts.read('web2', 'up')]).toEqual([undefined, '']);
  });
});
