import { describe, expect, test } from 'vitest';
import { loadRegistry } from '../../src/playbook/registry.ts';
import { type Case, roundsOf } from './damage.ts';
import { every } from './every.ts';

const cases = (rounds: ReturnType<typeof roundsOf>): readonly Case[] => rounds.flat();

describe('the kinds of damage', () => {
  test('are forty at least, each named once', () => {
    expect(every.length).toBeGreaterThanOrEqual(40);
    expect(new Set(every.map(({ kind }) => kind)).size).toBe(every.length);
  });

  test('every task that there is mends one', async () => {
    const { tasks } = await loadRegistry();
    // What only asks, waits, acts or undoes has no state that could be damaged.
    const stateless = ['query', 'wait_for', 'http_check', 'reboot', 'restore'];
    // The cluster has the packages of its distribution: what is built is damaged in golden cases, a repository in test/system;
    // no tunnel ends on its machines, see test/system/marks-and-redirects.test.ts;
    // they have no semanage, and a policy that deploy asks nothing of: test/tasks/selinux_policy.test.ts.
    const elsewhere = ['keepalived_source', 'ipvsadm_source', 'package_repository', 'selinux_boolean', 'selinux_port', 'segment_size'];
    const planned = new Set(every.flatMap(({ plan, first }) => [...plan, ...(first?.plan ?? [])]).map((each) => each.replace(/ .*/, '')));
    expect([...tasks.keys()].filter((task) => !planned.has(task) && ![...stateless, ...elsewhere].includes(task))).toEqual([]);
  });

  test('are refused or mended, not both', () => {
    for (const { kind, plan, refused } of every) expect([kind, plan.length === 0]).toEqual([kind, refused !== undefined]);
  });
});

describe.each([1, 5])('rounds of at most %i on a host', (most) => {
  const rounds = roundsOf(every, most);

  test('hold every kind once', () => {
    expect(
      cases(rounds)
        .map(({ damage }) => damage.kind)
        .sort(),
    ).toEqual(every.map(({ kind }) => kind).sort());
    expect(cases(rounds).filter(({ hosts }) => hosts.length === 0)).toEqual([]);
  });

  test('keep apart what would disturb each other', () => {
    for (const round of rounds) {
      for (const host of ['dr1', 'dr2', 'web1', 'web2']) {
        const here = round.filter(({ damage, hosts }) => hosts.includes(host) || damage.first?.host === host);
        expect(here.length).toBeLessThanOrEqual(most);
        const parts = here.flatMap(({ damage, hosts }) => (hosts.includes(host) ? damage.parts : damage.first?.parts) ?? []);
        expect(new Set(parts).size).toBe(parts.length);
      }
      const damages = round.map(({ damage }) => damage);
      expect(damages.some(({ pool }) => pool) && damages.some(({ outage }) => outage)).toBe(false);
      expect(new Set(damages.map(({ refused }) => refused !== undefined)).size).toBe(1);
    }
  });
});
