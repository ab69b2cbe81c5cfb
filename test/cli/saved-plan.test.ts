/** A plan in a file: whose it is, what stands in it, and what becomes of one that does not hold, or is none. */
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mustBeDecided, mustHold, readPlan, savePlan } from '../../src/cli/saved-plan.ts';
import { withoutValues } from '../../src/cli/session.ts';
import { formatError, LvsError } from '../../src/errors.ts';
import type { Plan } from '../../src/model.ts';
import { type IsolatedFleet, isolatedFleet } from '../support/isolated-fleet.ts';

let folder = '';
let hosts: IsolatedFleet;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsctl-plan-'));
  hosts = isolatedFleet();
});
afterEach(() => {
  hosts.close();
  rmSync(folder, { recursive: true });
});

const maker = { runId: 'run-1', who: 'root@control', resume: 'lvsctl plan inventory/dr.yaml --out plan.json' };
const file = (): string => join(folder, 'plan.json');
const book = (task: string): string => `- name: p
  hosts: web1
  tasks:
    - { name: one, command: { run: "${task}; touch /srv/one", creates: /srv/one } }
    - { name: two, command: { run: "touch /srv/two", creates: /srv/two } }
`;

/** Plans the book and keeps that. */
async function kept(text: string): Promise<void> {
  let made: Plan | undefined;
  await hosts.deploy(text, {
    answer: (_, plan) => {
      made = plan;
      return false;
    },
  });
  if (made) savePlan(file(), made, maker);
}

/** Deploys the book if the kept plan holds; else what is said. */
const deployed = (text: string) =>
  hosts
    .deploy(text, {
      answer: (_, plan) => {
        mustHold(file(), readPlan(file()), plan);
        return { leaveOut: new Set() };
      },
    })
    .then(
      ({ exitCode }) => exitCode,
      (error: unknown) => (error instanceof LvsError ? [error, ...error.others].map(formatError) : error),
    );

test('what was kept is done', async () => {
  await kept(book(':'));
  expect(await deployed(book(':'))).toBe(0);
  expect([hosts.read('web1', 'one'), hosts.read('web1', 'two')]).toEqual(['', '']);
});

test('where the host is not any more as it was, nothing is touched, and what differs is said', async () => {
  await kept(book(':'));
  hosts.write('web1', 'two', '');
  expect(await deployed(book(':'))).toEqual([
    expect.stringMatching(
      /plan\.json: the plan of 20\S+Z does not hold any more: web1: no longer to be done: .*; nothing was touched; look again with "lvsctl plan inventory\/dr\.yaml --out plan\.json"$/,
    ),
  ]);
  expect(hosts.read('web1', 'one')).toBeUndefined();
});

test('where the playbook says something else by now, nothing is touched', async () => {
  await kept(book(':'));
  expect(await deployed(book('echo more'))).toEqual([expect.stringContaining('web1: something else now: ')]);
  expect(hosts.read('web1', 'one')).toBeUndefined();
});

test('only its owner may read it, and a file or link of that name is replaced, never followed', async () => {
  const other = join(folder, 'other');
  writeFileSync(other, 'kept\n');
  symlinkSync(other, file());
  await kept(book(':'));
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(readPlan(file()).work).toHaveLength(2);
  expect(readFileSync(other, 'utf8')).toBe('kept\n');
});

test('a plan of another cluster is refused', async () => {
  await kept(book(':'));
  const saved = readPlan(file());
  expect(() => mustHold(file(), saved, { cluster: 'other', batches: [] })).toThrow('the plan is for the cluster web, not for other');
});

test.each([
  ['nothing', ''],
  ['no JSON', '{'],
  ['JSON of another kind', '{"format":2}'],
  ['a list', '[]'],
])('%s is refused in a line', (_, content) => {
  writeFileSync(file(), content);
  expect(() => readPlan(file())).toThrow('this is no plan that this lvsctl has saved');
});

test('a file that is not there, and one that cannot be written', () => {
  expect(() => readPlan(file())).toThrow(/the plan cannot be read/);
  expect(() => savePlan(join(folder, 'no', 'plan'), { cluster: 'web', batches: [] }, maker)).toThrow(/the plan cannot be written/);
});

test.each([
  [['deploy', 'i.yaml', '-e', 'password=x', '--yes'], 'deploy i.yaml -e … --yes'],
  [['deploy', 'i.yaml', '-epassword=x', '--extra-vars=password=x'], 'deploy i.yaml -e… --extra-vars=…'],
  [['deploy', 'i.yaml', '-De', 'password=x', '-yepassword=x'], 'deploy i.yaml -De … -ye…'],
  [
    ['deploy', 'i.yaml', '--extra-vars', '{"password":"x"}', '-e', '@vars.yaml', '-e@more.yaml'],
    'deploy i.yaml --extra-vars … -e @vars.yaml -e@more.yaml',
  ],
])('the command line %j is repeated without what may be a secret', (words, said) => {
  expect(withoutValues(words, ['password=x', '{"password":"x"}', '@vars.yaml', '@more.yaml']).join(' ')).toBe(said);
});

test('what is planned only while the run is at work is not kept as a plan, nor done from one', async () => {
  const behind = `${book(':')}    - barrier: true\n    - { name: three, command: { run: "touch /srv/three", creates: /srv/three } }\n`;
  const refused = /plan\.json: web1: "three" comes behind a barrier: .*, so no saved plan can say it; deploy what comes before the barrier/;
  const said = await hosts
    .deploy(behind, {
      answer: (_, plan) => {
        mustBeDecided(file(), plan);
        return false;
      },
    })
    .then(String, (error: unknown) => formatError(error as LvsError));
  expect(said).toMatch(refused);
  await kept(behind);
  expect(await deployed(behind)).toEqual([expect.stringMatching(refused)]);
  expect(hosts.read('web1', 'one')).toBeUndefined();
  // Nothing is left to be done before the barrier: now it can be said.
  for (const name of ['one', 'two']) hosts.write('web1', name, '');
  await kept(behind);
  expect(await deployed(behind)).toBe(0);
  expect(hosts.read('web1', 'three')).toBe('');
});
