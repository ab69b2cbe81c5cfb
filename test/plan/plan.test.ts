import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Seen, Step } from '../../src/model.ts';
import { planBatches } from '../../src/plan/plan.ts';
import type { BoundPlay } from '../../src/playbook/bind.ts';
import type { Registry } from '../../src/playbook/registry.ts';
import { secretSlot } from '../../src/sh/secret.ts';
import { renderSh } from '../../src/sh/sh.ts';
import { defineTask, refuse, sh } from '../../src/task.ts';
import { planContext, s0Fleet } from '../support/plan-context.ts';

/** The smallest task that plans: the probe prints the value, the parameter says what it should be. */
const word = defineTask({
  summary: 'a word',
  params: z.strictObject({ want: z.string() }),
  touches: () => [],
  probe: () => sh`cat /word`,
  parse: ({ stdout }) => stdout,
  plan: (seen, { want }, { same }) => {
    if (want === 'forbidden') throw refuse('forbidden words are not said', 'use another');
    return same(seen, want)
      ? []
      : [{ id: 'word', title: `say ${want}`, was: seen, will: want, run: sh`say ${want}`, notify: ['word.heard'] }];
  },
  settled: ({ want }) => `${want} is said`,
  handlers: () => ({ 'word.heard': { run: sh`listen` }, 'word.unheard': { run: sh`wait` } }),
  example: { want: 'hello' },
});

const registry: Registry = { tasks: new Map([['word', word]]), checks: new Map() };
const step = (host: string, want: string, more: Partial<Step> = {}): Step => ({
  id: '0.0',
  host,
  play: 0,
  name: 'a word',
  task: 'word',
  want: { want },
  notify: [],
  where: {},
  ...more,
});
const said = (host: string, stdout: string): Seen => ({
  host,
  reached: true,
  facts: planContext().facts,
  outputs: { '0.0': { stdout, stderr: '', exit: 0 } },
});
const planOf = (steps: readonly Step[], seen: readonly Seen[], tasks: Registry = registry) => {
  const play: BoundPlay = { name: 'play', steps: Object.fromEntries(steps.map((one) => [one.host, [one]])), checks: [] };
  const resolve = (text: string) => text.replace(secretSlot('s'), 'hunter2');
  return (
    planBatches({
      fleet: s0Fleet,
      plays: [play],
      registry: tasks,
      seen: Object.fromEntries(seen.map((one) => [one.host, one])),
      resolve,
      conceal: (text) => text.replaceAll('hunter2', secretSlot('s')),
    }).batches[0]?.hosts ?? []
  );
};

test('a host as wanted has no change and a sentence that says so', () => {
  expect(planOf([step('web1', 'hello')], [said('web1', 'hello')])[0]).toMatchObject({
    status: 'planned',
    steps: [{ status: 'ok', why: 'hello is said', changes: [] }],
    handlers: [],
  });
});

test('a change brings the handlers that it and its step notify, in the order of their definition', () => {
  const [host] = planOf([step('web1', 'hello', { notify: ['word.unheard'] })], [said('web1', '')]);
  expect(host?.steps[0]?.changes[0]?.notify).toEqual(['word.heard', 'word.unheard']);
  expect(host?.handlers.map(({ name }) => name)).toEqual(['word.heard', 'word.unheard']);
});

test('a secret is compared by its value and planned as its slot', () => {
  expect(planOf([step('web1', secretSlot('s'))], [said('web1', 'hunter2')])[0]?.steps[0]?.status).toBe('ok');
  expect(JSON.stringify(planOf([step('web1', secretSlot('s'))], [said('web1', 'old')]))).not.toContain('hunter2');
});

test('a secret that the host has now is shown nowhere, whatever becomes of its line', () => {
  const tell = defineTask({
    ...{ summary: 'tells', params: z.strictObject({ want: z.string() }), touches: () => [], probe: () => sh`cat /word` },
    parse: ({ stdout }) => stdout,
    plan: (seen, { want }) => {
      if (want === 'forbidden') throw refuse(`it says ${seen}`, `not ${seen}`);
      const run = sh`sed ${seen}`;
      const shell = { run, unless: run, validate: run, undo: run, stage: run };
      return want === 'as it is' ? [] : [{ id: `word:${seen}`, title: `not ${seen}`, was: seen, will: want, ...shell }];
    },
    settled: (_, seen) => `it says ${seen}`,
    stays: (seen) => [`${seen} stays`],
    pendingReboot: (seen) => [`${seen} until then`],
    example: { want: 'x' },
  });
  const tells = { ...registry, tasks: new Map([['word', tell]]) };
  const now = 'password=hunter2';
  const told = (want: string) => planOf([step('web1', want)], [said('web1', now)], tells)[0]?.steps[0];
  for (const want of ['as it is', 'forbidden', '', `pass=${secretSlot('s')}`]) expect(JSON.stringify(told(want))).not.toContain('hunter2');
  expect(told('as it is')?.why).toBe('it says password=[secret s]');
  expect(told('forbidden')?.why).toBe('it says password=[secret s]; not password=[secret s]');
  const [change] = told('')?.changes ?? [];
  expect(change).toMatchObject({ title: 'not password=[secret s]', was: `password=${secretSlot('s')}` });
  // What is sent is what the host has.
  expect(change && renderSh(change.run, (text) => text.replace(secretSlot('s'), 'hunter2'))).toBe("sed 'password=hunter2'");
});

test('a refusal fails its host with the reason and plans nothing there', () => {
  expect(planOf([step('web1', 'forbidden')], [said('web1', '')])[0]).toMatchObject({
    status: 'failed',
    why: 'forbidden words are not said; use another',
  });
});

test('a host that was not reached is unreachable, the others are planned', () => {
  const hosts = planOf(
    [step('web1', 'hello'), step('web2', 'hello')],
    [{ host: 'web1', reached: false, reason: 'no route' }, said('web2', '')],
  );
  expect(hosts.map(({ host, status, why }) => [host, status, why])).toEqual([
    ['web1', 'unreachable', 'no route'],
    ['web2', 'planned', ''],
  ]);
});

test('a condition on facts is decided by what the host is', () => {
  const conditional = step('web1', 'hello', { when: 'facts.distribution === "plan9"' });
  expect(planOf([conditional], [said('web1', '')])[0]?.steps[0]).toMatchObject({ status: 'skipped', changes: [] });
});

test('a handler that nobody defines is a mistake of the playbook', () => {
  expect(() => planOf([step('web1', 'hello', { notify: ['nobody'] })], [said('web1', '')])).toThrow(
    'no step of this play defines the handler "nobody"',
  );
});
