import { expect, test } from 'vitest';
import type { Artefact, Batch, Change, HostPlan } from '../../src/model.ts';
import { assignBuilds } from '../../src/plan/builds.ts';
import { sh } from '../../src/task.ts';

const artefact: Artefact = { key: 'nginx-1', title: 'compile nginx', sources: [], build: sh`make`, timeout: 9 };
const install: Change = { id: 'install', title: 'install', was: '', will: '', run: sh`true`, consumes: artefact };
const host = (name: string, status: HostPlan['status'] = 'planned'): HostPlan => ({
  host: name,
  status,
  why: '',
  handlers: [],
  steps: [
    {
      step: { id: '0.0', host: name, play: 0, name: 'n', task: 't', want: {}, notify: [], where: {} },
      status: 'change',
      why: '',
      changes: [install],
      pendingReboot: [],
    },
  ],
});
const plan = (...hosts: readonly HostPlan[]): readonly Batch[] => [{ name: 'b', play: 0, phase: 0, maxFail: 0, hosts }];
const changes = (batches: readonly Batch[]) =>
  batches.flatMap(({ hosts }) =>
    hosts.map(({ host: name, steps }) => [name, ...steps.flatMap((step) => step.changes.map(({ id }) => id))]),
  );

test('one host builds, the others only install', () => {
  expect(changes(assignBuilds(plan(host('web1'), host('web2')), new Set()))).toEqual([
    ['web1', 'build:nginx-1', 'install'],
    ['web2', 'install'],
  ]);
});

test('nothing is built that the control machine holds', () => {
  expect(changes(assignBuilds(plan(host('web1')), new Set(['nginx-1'])))).toEqual([['web1', 'install']]);
});

test('a host that cannot go on does not build for the others', () => {
  expect(changes(assignBuilds(plan(host('web1', 'failed'), host('web2')), new Set()))).toEqual([
    ['web1', 'install'],
    ['web2', 'build:nginx-1', 'install'],
  ]);
});

test('a builder that is named builds, also for a host that comes before it', () => {
  const named: Artefact = { ...artefact, on: 'web2' };
  const wants = (name: string): HostPlan => {
    const { steps, ...rest } = host(name);
    return { ...rest, steps: steps.map((step) => ({ ...step, changes: [{ ...install, consumes: named }] })) };
  };
  const batches = assignBuilds(plan(wants('web1'), wants('web2')), new Set());
  expect(changes(batches)).toEqual([
    ['web1', 'build:nginx-1', 'install'],
    ['web2', 'install'],
  ]);
  expect(batches[0]?.hosts[0]?.steps[0]?.changes[0]).toMatchObject({ on: 'web2', title: 'compile nginx on web2' });
  expect(() => assignBuilds(plan(wants('web1')), new Set())).toThrow('web2, which is to compile nginx, is not at work in this run');
  expect(assignBuilds(plan(wants('web2')), new Set())[0]?.hosts[0]?.steps[0]?.changes[0]).not.toHaveProperty('on');
});

test('what is compiled is said with where it comes from: whoever named it chose what root runs', () => {
  const sources = [{ sha256: 'a'.repeat(64), name: 'nginx-1.tar.gz', from: ['/srv/nginx-1.tar.gz', 'https://example.org/nginx-1.tar.gz'] }];
  const consumes = { ...artefact, sources };
  const { steps, ...rest } = host('web1');
  const wanting = { ...rest, steps: steps.map((step) => ({ ...step, changes: [{ ...install, consumes }] })) };
  expect(assignBuilds(plan(wanting), new Set())[0]?.hosts[0]?.steps[0]?.changes[0]?.will).toBe(
    `compile nginx\nsource nginx-1.tar.gz, SHA-256 ${'a'.repeat(64)}\nfrom /srv/nginx-1.tar.gz, or https://example.org/nginx-1.tar.gz\n`,
  );
});
