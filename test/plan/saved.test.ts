/** A plan that was read and agreed to is done as it was, or not at all. */
import { expect, test } from 'vitest';
import type { Change, HostPlan, Plan } from '../../src/model.ts';
import { differences, workOf } from '../../src/plan/saved.ts';
import { sh } from '../../src/task.ts';

const change = (id: string, more: Partial<Change> = {}): Change => ({ id, title: `do ${id}`, was: 'a', will: 'b', run: sh`true`, ...more });
const host = (name: string, changes: readonly Change[], handlers: HostPlan['handlers'] = []): HostPlan => ({
  ...{ host: name, status: 'planned', why: '', handlers },
  steps: [
    {
      step: { id: '0.0', host: name, play: 0, name: 'n', task: 't', want: {}, notify: [], where: {} },
      status: changes.length > 0 ? 'change' : 'ok',
      why: '',
      changes,
      pendingReboot: [],
    },
  ],
});
const plan = (...hosts: readonly HostPlan[]): Plan => ({ cluster: 'web', batches: [{ name: 'p', play: 0, phase: 0, hosts, maxFail: 0 }] });
const said = (kept: Plan, now: Plan) => differences(JSON.parse(JSON.stringify(workOf(kept))), workOf(now));

const kept = plan(host('web1', [change('one'), change('two')]), host('web2', [change('one')]));

test('the same plan, made again, holds', () => {
  expect(said(kept, plan(host('web1', [change('one'), change('two')]), host('web2', [change('one')])))).toEqual([]);
  expect(said(plan(), plan())).toEqual([]);
});

test.each<[string, Plan, readonly string[]]>([
  ['less to do', plan(host('web1', [change('one')]), host('web2', [change('one')])), ['web1: no longer to be done: do two']],
  [
    'more to do',
    plan(host('web1', [change('one'), change('two')]), host('web2', [change('one')]), host('dr1', [change('one')])),
    ['dr1: not in the plan: do one'],
  ],
  [
    'nothing to do',
    plan(host('web1', []), host('web2', [])),
    ['web1: no longer to be done: do one', 'web1: no longer to be done: do two', 'web2: no longer to be done: do one'],
  ],
  [
    'another script',
    plan(host('web1', [change('one', { run: sh`false` }), change('two')]), host('web2', [change('one')])),
    ['web1: something else now: do one'],
  ],
  [
    'something else was there',
    plan(host('web1', [change('one'), change('two', { was: 'c' })]), host('web2', [change('one')])),
    ['web1: something else now: do two'],
  ],
  [
    'another order of hosts',
    plan(host('web2', [change('one')]), host('web1', [change('one'), change('two')])),
    ['the same changes in another order'],
  ],
  [
    'another order on a host',
    plan(host('web1', [change('two'), change('one')]), host('web2', [change('one')])),
    ['the same changes in another order'],
  ],
])('%s: it does not hold', (_, now, expected) => {
  expect(said(kept, now)).toEqual(expected);
});

test('a handler that is another, or is not to run, counts', () => {
  const restart = (run: string): HostPlan['handlers'] => [{ name: 'restart', handler: { run: sh`${run}` } }];
  const one = plan(host('web1', [change('one')], restart('a')));
  expect(said(one, plan(host('web1', [change('one')], restart('b'))))).toEqual(['web1: something else now: handler restart']);
  expect(said(one, plan(host('web1', [change('one')])))).toEqual(['web1: no longer to be done: handler restart']);
});

test('a batch of its own is another thing than the same batch', () => {
  const [batch] = kept.batches;
  const apart: Plan = {
    cluster: 'web',
    batches: (batch?.hosts ?? []).map((one, play) => ({ name: 'p', play, phase: 0, hosts: [one], maxFail: 0 })),
  };
  expect(said(kept, apart)).toEqual(['web2: something else now: do one']);
});

test('it says which secrets are taken, never what they are', () => {
  const secret = plan(host('web1', [change('one', { run: sh`echo ${'\uE000secret vrrp\uE001'}` })]));
  expect(JSON.stringify(workOf(secret))).not.toContain('secret vrrp');
});
