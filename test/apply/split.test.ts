import { expect, test } from 'vitest';
import { cutIntoScripts, type Item, itemsOf } from '../../src/apply/bundle/items.ts';
import type { Artefact, Change, Step } from '../../src/model.ts';
import { sh } from '../../src/task.ts';

const artefact: Artefact = { key: 'nginx-1', title: 'compile', sources: [], build: sh`true`, timeout: 1 };
const item = (id: string, more: Partial<Change> = {}, step: Partial<Step> = {}): Item => ({
  step: { id: '0.0', host: 'web1', play: 0, name: id, task: 'command', want: {}, notify: [], where: {}, ...step },
  placed: { frames: 'top', closes: [] },
  change: { id, title: id, was: '', will: '', run: sh`true`, ...more },
});
const ids = (items: readonly Item[]) => cutIntoScripts(items).map((script) => script.items.map(({ change }) => change.id));

test('without artefacts everything is one script', () => {
  expect(ids([item('a'), item('b')])).toEqual([['a', 'b']]);
});

test('the builder hands over as soon as it has built', () => {
  expect(ids([item('a'), item('build', { produces: artefact }), item('install', { consumes: artefact }), item('b')])).toEqual([
    ['a', 'build'],
    ['install', 'b'],
  ]);
});

test('a host that takes the artefact does what comes before it first', () => {
  expect(ids([item('a'), item('install', { consumes: artefact }), item('b')])).toEqual([['a'], ['install', 'b']]);
});

test('what another host builds for this one is a script there, and then waited for', () => {
  const scripts = cutIntoScripts([
    item('a'),
    item('build', { produces: artefact, on: 'dr1' }),
    item('install', { consumes: artefact }),
    item('b'),
  ]);
  expect(scripts.map(({ on, items }) => [on, items.map(({ change }) => change.id)])).toEqual([
    [undefined, ['a']],
    ['dr1', ['build']],
    [undefined, ['install', 'b']],
  ]);
});

test('a step that is done on another host has a script of its own there', () => {
  const scripts = cutIntoScripts([item('a'), item('b', {}, { on: 'dr1' }), item('c')]);
  expect(scripts.map(({ on, items }) => [on, items.map(({ change }) => change.id)])).toEqual([
    [undefined, ['a']],
    ['dr1', ['b']],
    [undefined, ['c']],
  ]);
});

test('what is put in force on all hosts together stands alone, after it was got ready with what comes before it', () => {
  const split = { risk: 'split' as const, stage: sh`true` };
  const plan = { host: 'dr1', status: 'planned' as const, why: '', handlers: [] };
  const changes = [item('a').change, item('b', split).change, item('c').change];
  const { step } = item('all');
  const scripts = cutIntoScripts(itemsOf({ ...plan, steps: [{ step, status: 'change', why: '', changes, pendingReboot: [] }] }));
  expect(
    scripts.map(({ together, items }) => [together, items.map(({ change, staging }) => `${change.id}${staging ? ' ready' : ''}`)]),
  ).toEqual([
    [false, ['a', 'b ready']],
    [true, ['b']],
    [false, ['c']],
  ]);
});
