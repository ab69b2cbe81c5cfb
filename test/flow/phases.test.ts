/** What later steps may know of earlier ones: register, barriers, until; and steps that are done once, or on another host. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../src/model.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const play = (tasks: string, settings = 'hosts: web1'): string => `- name: p\n  ${settings}\n  tasks:\n${tasks}`;
const channels = (report: { readonly hosts: readonly { readonly name: string; readonly channels: number }[] }, name: string) =>
  report.hosts.find((host) => host.name === name)?.channels;

describe('register', () => {
  const colour = '    - { name: ask, query: { run: "cat /srv/colour" }, register: colour }\n';

  test('what a query has said decides about later steps, in the same look', async () => {
    const book = play(
      `${colour}    - { name: red, when: "registered.colour.lines[0] === 'red'", command: { run: touch /srv/red, creates: /srv/red } }\n`,
    );
    hosts.write('web1', 'colour', 'blue\n');
    const blue = await hosts.deploy(book);
    expect(blue).toMatchObject({ exitCode: 0, summary: { changed: 0, skipped: 1 } });
    expect(channels(blue, 'web1')).toBe(1);
    hosts.write('web1', 'colour', 'red\n');
    expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, summary: { changed: 1 } });
  });

  test('a slip in what it has said is found when the hosts have been looked at, before anything is touched', async () => {
    const book = play(
      `${colour}    - { name: red, when: "registered.colour.rc === 0", command: { run: touch /srv/red, creates: /srv/red } }\n`,
    );
    const report = await hosts.deploy(book);
    expect(report).toMatchObject({ exitCode: 4, touched: false });
    expect(report.hosts[0]?.why).toBe('when of "red": there is no registered.colour.rc; write registered.colour.exit');
  });

  test('changed and skipped are there for every task; the turns of a loop add up', async () => {
    const turns =
      '    - { name: turn, loop: [a, b], register: made, command: { run: "touch /srv/<%= item %>", creates: "/srv/<%= item %>" } }\n';
    const then = `    - { name: then, when: "registered.made.changed && registered.made.results.length === 2", command: { run: touch /srv/then, creates: /srv/then } }\n`;
    hosts.write('web1', 'a', '');
    expect(await hosts.deploy(play(turns + then))).toMatchObject({ exitCode: 0, summary: { changed: 2 } });
    expect(await hosts.deploy(play(turns + then))).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
  });

  test('a parameter may use it behind a barrier, and a loop too; the plan shows what comes of it', async () => {
    const use = `    - barrier: true\n    - { name: paint, command: { run: "touch /srv/<%= registered.colour.lines[0] %>", creates: "/srv/<%= registered.colour.lines[0] %>" } }\n`;
    hosts.write('web1', 'colour', 'red\n');
    expect((await hosts.plan(play(colour + use))).hosts[0]?.steps[1]?.changes[0]?.title).toBe('run touch /srv/red');
    expect(await hosts.deploy(play(colour + use))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 1 } });
    expect(hosts.read('web1', 'red')).toBe('');
    const again = await hosts.deploy(play(colour + use));
    expect(again).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
    expect(channels(again, 'web1')).toBe(2);
  });
});

describe('a barrier', () => {
  test('has what follows looked at when what is before it has been done', async () => {
    const first = '    - { name: first, command: { run: "echo yes >/srv/answer", creates: /srv/answer } }\n';
    const ask = '    - { name: ask, query: { run: "cat /srv/answer" }, register: answer }\n';
    const then = `    - { name: then, when: "registered.answer.stdout === 'yes\\\\n'", command: { run: touch /srv/then, creates: /srv/then } }\n`;
    expect(await hosts.deploy(play(`${first}    - barrier: it may have answered\n${ask}${then}`))).toMatchObject({
      exitCode: 0,
      notes: [],
      summary: { changed: 2 },
    });
    expect(hosts.read('web1', 'then')).toBe('');
  });

  test('runs the handlers that wait, and costs no look where nothing has been done', async () => {
    const change = '    - { name: change, notify: tell, command: { run: "touch /srv/one", creates: /srv/one } }\n';
    const after = '    - { name: after, command: { run: "cp /srv/told /srv/two", creates: /srv/two } }\n';
    const book = `${play(`${change}    - barrier: true\n${after}`)}  handlers:\n    - { name: tell, command: { run: "echo told >/srv/told" } }\n`;
    expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, notes: [] });
    expect(hosts.read('web1', 'two')).toBe('told\n');
    expect(channels(await hosts.deploy(book), 'web1')).toBe(1);
  });
});

test('a host on which something is to be done only behind a barrier is locked like any other, and copied first', async () => {
  hosts.write('web2', 'two', 'ours');
  const two = '    - barrier: true\n    - { name: two, copy: { dest: /srv/two, content: ours } }\n';
  const book = `${play('    - { name: one, command: { run: touch /srv/one, creates: /srv/one } }\n')}${play(`    - { name: look, query: { run: "true" } }\n${two}`, 'hosts: web2')}`;
  const answer = (report: Report) => {
    expect(report.summary).toMatchObject({ changed: 1 });
    hosts.write('web2', 'two', 'mine');
    return { leaveOut: new Set<string>() };
  };
  expect(await hosts.deploy(book, { answer })).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 2 } });
  expect(hosts.read('web2', 'two')).toBe('ours');
  expect(hosts.history('web2')).toMatch(/^run\t\S+\trun-1\troot@control\t/);
  const [cluster = ''] = readdirSync(join(hosts.store, 'before'));
  const copy = join(hosts.store, 'before', cluster, 'web2', 'run-1.tar');
  expect(execFileSync('tar', ['-xOf', copy], { encoding: 'utf8' })).toBe('mine');
});

describe('what is found behind a barrier', () => {
  const make = (name: string, run: string): string => `    - { name: ${name}, command: { run: "${run}", creates: /srv/${name} } }\n`;
  const ask = (file: string, more = ''): string =>
    `    - { name: ask ${file}, query: { run: "cat /srv/${file}" }, register: ${file}${more} }\n`;
  const barrier = '    - barrier: true\n';

  test('decides: a step whose condition has become false is not done', async () => {
    const book = play(
      `${make('go', 'touch /srv/go')}${barrier}${ask('go')}${barrier}    - { name: late, when: "registered.go.exit !== 0", command: { run: touch /srv/late, creates: /srv/late } }\n`,
    );
    expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 1 } });
    expect(hosts.read('web1', 'late')).toBeUndefined();
  });

  test('may not fit before what is done first: a fresh host is planned all the same', async () => {
    const use = '    - { name: use, directory: { path: "<%= registered.key.lines[0] %>" } }\n';
    const book = play(`${make('key', 'echo /srv/made >/srv/key')}${barrier}${ask('key')}${barrier}${use}`);
    const fresh = await hosts.plan(book);
    expect(fresh).toMatchObject({ exitCode: 2, summary: { failed: 0 } });
    expect(fresh.hosts[0]?.steps.at(-1)?.status).toBe('later');
    expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 2 } });
  });

  test('that never fits fails its host, and the run is told to its end', async () => {
    const use = '    - { name: use, directory: { path: "<%= registered.key.lines[0] %>" } }\n';
    const report = await hosts.deploy(play(`${make('key', 'echo no path >/srv/key')}${barrier}${ask('key')}${barrier}${use}`));
    expect(report).toMatchObject({ exitCode: 1, touched: true, summary: { failed: 1, changed: 1 } });
    expect(report.hosts[0]?.why).toMatch(/^"use": .*directory\.path/);
  });

  test('holds for hosts that were not touched themselves', async () => {
    const once = `    - { name: key, run_once: true, command: { run: "echo k >/srv/key", creates: /srv/key } }\n`;
    const use = `    - { name: use, when: "registered.key.exit === 0", command: { run: touch /srv/use, creates: /srv/use } }\n`;
    const book = play(`${once}${barrier}${ask('key', ', run_once: true')}${use}`, 'hosts: backends');
    expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 3 } });
    expect(hosts.read('web2', 'use')).toBe('');
  });

  test('does not move where --start-at begins', async () => {
    const book = play(
      `${make('a', 'touch /srv/a')}${barrier}    - { name: begin, when: "facts.kernel === ''", query: { run: id } }\n${make('b', 'touch /srv/b')}`,
    );
    expect(await hosts.deploy(book, { startAt: 'begin' })).toMatchObject({ exitCode: 0, summary: { changed: 1 } });
    expect([hosts.read('web1', 'a'), hosts.read('web1', 'b')]).toEqual([undefined, '']);
  });
});

test('a task that is not there for a host has been skipped', async () => {
  const book = play(
    `    - { name: ask, when: "host.name === 'dr1'", query: { run: id }, register: asked }\n    - { name: then, when: "registered.asked.skipped", command: { run: touch /srv/then, creates: /srv/then } }\n`,
  );
  expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, summary: { changed: 1 } });
});

test('a host all of whose steps are done elsewhere is there', async () => {
  const book = play(
    '    - { name: away, delegate_to: dr1, command: { run: "touch /srv/<%= host.name %>", creates: "/srv/<%= host.name %>" } }\n',
  );
  expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 1 } });
  expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
});

describe('until', () => {
  const begin = (seconds: number): string =>
    `    - { name: begin, command: { run: "touch /srv/begun; (sleep ${seconds}; touch /srv/late) >/dev/null 2>&1 &", creates: /srv/begun } }\n`;
  const wait = (retries: number): string =>
    `    - { name: wait, query: { run: "test -e /srv/late" }, until: result.exit === 0, retries: ${retries}, delay: 1 }\n`;
  const after = '    - { name: after, command: { run: "cp /srv/late /srv/after", creates: /srv/after } }\n';

  test('looks again until it holds, then goes on', async () => {
    expect(await hosts.deploy(play(begin(2) + wait(20) + after))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 2 } });
    expect(hosts.read('web1', 'after')).toBe('');
    expect(await hosts.deploy(play(begin(2) + wait(20) + after))).toMatchObject({ exitCode: 0, summary: { changed: 0, channels: 1 } });
  });

  test('that never holds fails the host, which is left where it is', async () => {
    const report = await hosts.deploy(play(begin(60) + wait(1) + after));
    expect(report).toMatchObject({ exitCode: 1, summary: { failed: 1 } });
    expect(report.hosts[0]?.steps[1]?.why).toBe('"wait": result.exit === 0 did not hold in 2 tries');
    expect(hosts.read('web1', 'after')).toBeUndefined();
  });
});

test('run_once is done on the first host of the play; the others know what it said', async () => {
  const once = '    - { name: once, run_once: true, query: { run: "cat /srv/key" }, register: key }\n';
  const use = `    - barrier: true\n    - { name: use, command: { run: "touch /srv/<%= registered.key.lines[0] %>", creates: "/srv/<%= registered.key.lines[0] %>" } }\n`;
  hosts.write('web1', 'key', 'k1\n');
  hosts.write('web2', 'key', 'k2\n');
  expect(await hosts.deploy(play(once + use, 'hosts: backends'))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 2 } });
  expect([hosts.read('web1', 'k1'), hosts.read('web2', 'k1'), hosts.read('web2', 'k2')]).toEqual(['', '', undefined]);
});

describe('delegate_to', () => {
  const book = `${play(
    `    - { name: out, command: { run: "touch /srv/out", creates: /srv/out } }
    - { name: tell, delegate_to: dr1, notify: noted, command: { run: "echo <%= host.name %> >>/srv/list; touch /srv/<%= host.name %>", creates: "/srv/<%= host.name %>" } }
    - { name: in, command: { run: "touch /srv/in", creates: /srv/in } }\n`,
    'hosts: backends',
  )}  handlers:\n    - { name: noted, command: { run: "touch /srv/noted" } }\n`;

  test("does the step there, in its turn, with the play's host in its expressions; the play's handler runs on the play's host", async () => {
    const report = await hosts.deploy(book, { serial: { hosts: 2 } });
    expect(report).toMatchObject({ exitCode: 0, notes: [] });
    expect(hosts.read('dr1', 'list')?.split('\n').sort()).toEqual(['', 'web1', 'web2']);
    expect([hosts.read('web1', 'noted'), hosts.read('dr1', 'noted'), hosts.read('web1', 'web1')]).toEqual(['', undefined, undefined]);
    const of = (name: string) =>
      hosts.story
        .filter((line) => line.includes(' done ') && (line.startsWith(name) || line.includes(`echo ${name}`)))
        .map((line) => line.split(' done ')[1]);
    expect(of('web1')).toEqual(['run touch /srv/out', 'run echo web1 >>/srv/list; touch /srv/web1', 'run touch /srv/in', 'handler noted']);
    expect(await hosts.deploy(book)).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
  });

  test('what has been done there in its place is seen behind a barrier', async () => {
    const use = `    - { name: use, when: "registered.list.lines.includes('web1')", command: { run: touch /srv/use, creates: /srv/use } }\n`;
    const tell = `    - { name: tell, delegate_to: dr2, command: { run: "echo <%= host.name %> >>/srv/list", creates: /srv/list } }\n`;
    const both = `${tell}    - barrier: true\n    - { name: there, delegate_to: dr2, query: { run: "cat /srv/list" }, register: list }\n${use}`;
    expect(await hosts.deploy(play(both))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 2 } });
    expect([hosts.read('dr2', 'list'), hosts.read('web1', 'use')]).toEqual(['web1\n', '']);
  });

  test('a host that does not answer stops those that delegate to it', async () => {
    expect(await hosts.plan(book, { unreachable: ['dr1'] })).toMatchObject({ exitCode: 5, summary: { unreachable: 3 } });
  });
});
