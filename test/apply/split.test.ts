import { expect, test } from 'vitest';
import { splitAtArtefacts } from '../../src/apply/apply-host.ts';
import type { Artefact, Change } from '../../src/model.ts';
import { sh } from '../../src/task.ts';

const artefact: Artefact = { key: 'nginx-1', title: 'compile', sources: [], build: sh`true`, timeout: 1 };
const item = (id: string, more: Partial<Change> = {}) => ({
  step: '0.0',
  change: { id, title: id, was: '', will: '', run: sh`true`, ...more },
});
const ids = (scripts: ReturnType<typeof splitAtArtefacts>) => scripts.map((script) => script.map(({ change }) => change.id));

test('without artefacts everything is one script', () => {
  expect(ids(splitAtArtefacts([item('a'), item('b')]))).toEqual([['a', 'b']]);
});

test('the builder hands over as soon as it has built', () => {
  expect(
    ids(splitAtArtefacts([item('a'), item('build', { produces: artefact }), item('install', { consumes: artefact }), item('b')])),
  ).toEqual([
    ['a', 'build'],
    ['install', 'b'],
  ]);
});

test('a host that takes the artefact does what comes before it first', () => {
  expect(ids(splitAtArtefacts([item('a'), item('install', { consumes: artefact }), item('b')]))).toEqual([['a'], ['install', 'b']]);
});
