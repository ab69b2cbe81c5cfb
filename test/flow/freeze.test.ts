/** Hosts that nobody is to change for a while. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freezeScript, thawScript } from '../../src/apply/lock/freeze.ts';
import { readTime } from '../../src/cli/commands/freeze.ts';
import type { LvsError } from '../../src/errors.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let hosts: IsolatedFleet;
beforeEach(() => {
  hosts = isolatedFleet();
});
afterEach(() => hosts.close());

const book = (name: string, on = 'all'): string => `- name: p
  hosts: ${on}
  tasks:
    - { name: ${name}, command: { run: "touch /srv/${name}", creates: /srv/${name} } }
`;
const now = Math.floor(Date.now() / 1000);
const refused = (run: Promise<unknown>) =>
  run.then(
    () => undefined,
    (error: LvsError) => ({
      exit: error.exitCode,
      said: [error, ...error.others].map(({ where, message }) => `${where?.host}: ${message}`),
    }),
  );

test('a run that would change one of them is refused, with who and why; nothing is touched, on the others neither', async () => {
  hosts.shell('web1', freezeScript({ until: now + 3600, who: 'ann@control', why: 'the sale' }));
  const said = await refused(hosts.deploy(book('one')));
  expect(said).toEqual({
    exit: 6,
    said: [expect.stringMatching(/^web1: frozen until 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ by ann@control: the sale$/)],
  });
  expect([hosts.read('web1', 'one'), hosts.read('web2', 'one')]).toEqual([undefined, undefined]);
  expect(await hosts.deploy(book('one', 'web2'))).toMatchObject({ exitCode: 0, summary: { changed: 1 } });
});

test('so is one that was asked about it before: while the question stood it was frozen', async () => {
  const answer = () => {
    hosts.shell('web1', freezeScript({ until: now + 3600, who: 'ann@control', why: 'the  sale' }));
    return { leaveOut: new Set<string>() };
  };
  expect(await refused(hosts.deploy(book('one', 'backends'), { answer }))).toEqual({
    exit: 6,
    said: [expect.stringMatching(/^web1: frozen until 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ by ann@control: the sale$/)],
  });
  expect([hosts.read('web1', 'one'), hosts.read('web2', 'one')]).toEqual([undefined, undefined]);
  hosts.shell('web1', freezeScript({ until: now - 1, who: 'ann@control', why: '' }));
  expect(await hosts.deploy(book('one', 'backends'))).toMatchObject({ exitCode: 0, summary: { changed: 2 } });
});

test('a run may come to change one of them behind a barrier, where nothing is to be done so far: it is refused as well', async () => {
  hosts.write('web2', 'late', '');
  hosts.shell('web2', freezeScript({ until: now + 3600, who: 'ann@control', why: '' }));
  const text = `${book('one', 'web1')}- name: q
  hosts: web2
  tasks:
    - { name: look, query: { run: "true" } }
    - barrier: true
    - { name: late, command: { run: "touch /srv/late", creates: /srv/late } }
`;
  expect(await refused(hosts.deploy(text))).toMatchObject({ exit: 6, said: [expect.stringMatching(/^web2: frozen until/)] });
  expect(hosts.read('web1', 'one')).toBeUndefined();
  expect(await hosts.deploy(text, { limit: 'web1' })).toMatchObject({ exitCode: 0, summary: { changed: 1 } });
});

test('a plan says so; a run that has nothing to do there is let through; it ends by itself, or is lifted', async () => {
  await hosts.deploy(book('one', 'web1'));
  hosts.shell('web1', freezeScript({ until: now + 3600, who: 'ann@control', why: '' }));
  expect((await hosts.plan(book('two', 'web1'))).notes).toEqual([
    expect.stringMatching(/^web1 is frozen until \S+Z by ann@control: deploy would refuse to change it$/),
  ]);
  expect(await hosts.deploy(book('one', 'web1'))).toMatchObject({ exitCode: 0, summary: { changed: 0 } });
  hosts.shell('web1', freezeScript({ until: now - 1, who: 'ann@control', why: '' }));
  expect(await hosts.deploy(book('two', 'web1'))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 1 } });
  hosts.shell('web1', freezeScript({ until: now + 3600, who: 'ann@control', why: '' }));
  hosts.shell('web1', thawScript);
  expect(await hosts.deploy(book('three', 'web1'))).toMatchObject({ exitCode: 0, notes: [], summary: { changed: 1 } });
});

test('what is said is text', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-freeze-'));
  try {
    const why = `'; touch ${folder}/owned; $(touch ${folder}/owned) "\n9`;
    hosts.shell('web1', freezeScript({ until: now + 3600, who: why, why }));
    expect(execFileSync('ls', ['-A', folder], { encoding: 'utf8' })).toBe('');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('times', () => {
  const at = Date.parse('2026-11-28T12:00:00Z');
  expect(['90m', '8h', '3d'].map((typed) => readTime(typed, at) - at / 1000)).toEqual([5400, 28_800, 259_200]);
  expect(readTime('2026-12-01T08:00:00Z', at)).toBe(Date.parse('2026-12-01T08:00:00Z') / 1000);
  expect(readTime('2026-12-01 08:00', at)).toBe(new Date(2026, 11, 1, 8).getTime() / 1000);
  expect(readTime('2026-12-01', at)).toBe(new Date(2026, 11, 1).getTime() / 1000);
  for (const typed of ['', 'tomorrow', '8', '8x', '-1h', '2026-13-01 08:00', '2026-11-28T11:59:59Z', '12/01/2026'])
    expect(() => readTime(typed, at), typed).toThrow(/is no time|is over/);
});
