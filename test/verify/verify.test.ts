import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Facts, Role, Seen } from '../../src/model.ts';
import type { BoundCheck } from '../../src/playbook/bind.ts';
import { type AnyCheck, defineCheck, sh } from '../../src/task.ts';
import { judge } from '../../src/verify/verify.ts';
import { contextOf, fleet } from '../checks/support/fleet.ts';

const { facts } = contextOf();

const bind = (definition: AnyCheck, check = 'some_word'): BoundCheck => ({
  id: '0.0',
  entry: { name: 'A sentence', check, params: { value: {}, place: () => ({}) }, when: [], vars: [], where: {} },
  definition,
  want: {},
});

/** Passes for each look, with what the host said. */
const echo = (from: readonly Role[], only?: string): AnyCheck =>
  defineCheck({
    summary: 'Says what was said.',
    params: z.strictObject({}),
    from,
    probe: (_, host) => (only === undefined || host.name === only ? sh`true` : undefined),
    expect: (looks) =>
      looks.length === 0
        ? [{ status: 'not-run', host: 'nobody', found: 'nobody looked', expected: '', fix: '' }]
        : looks.map(({ host, output }) => ({ status: 'pass', host: host.name, found: output.stdout, expected: '', fix: '' })),
    example: {},
  });

const reached = (...hosts: readonly string[]): Record<string, Seen> =>
  Object.fromEntries(
    hosts.map((host) => [
      host,
      { host, reached: true, facts: facts[host] as Facts, outputs: { '0.0': { stdout: `said by ${host}`, stderr: '', exit: 0 } } },
    ]),
  );

describe('judge', () => {
  test('hands every host of the roles to the check, with its output, and names the result', () => {
    expect(judge([bind(echo(['director']))], reached('dr1', 'dr2', 'web1'), fleet)).toEqual([
      { id: 'some-word', name: 'A sentence', status: 'pass', from: 'director', host: 'dr1', found: 'said by dr1', expected: '', fix: '' },
      { id: 'some-word', name: 'A sentence', status: 'pass', from: 'director', host: 'dr2', found: 'said by dr2', expected: '', fix: '' },
    ]);
  });

  test('a host that was not reached is not run, with the reason, and the others are judged', () => {
    const seen: Record<string, Seen> = {
      ...reached('dr1'),
      dr2: { host: 'dr2', reached: false, reason: 'connection refused', hint: 'start sshd' },
    };
    expect(judge([bind(echo(['director']))], seen, fleet)).toMatchObject([
      { status: 'not-run', host: 'dr2', from: 'director', found: 'dr2 was not reached: connection refused', fix: 'start sshd' },
      { status: 'pass', host: 'dr1' },
    ]);
  });

  test('where no host was reached that is all that is said', () => {
    expect(judge([bind(echo(['backend']))], {}, fleet).map(({ host, found }) => `${host}: ${found}`)).toEqual([
      'web1: web1 was not asked',
      'web2: web2 was not asked',
    ]);
  });

  test('a host on which the check has nothing to look at is not missed', () => {
    expect(judge([bind(echo(['director'], 'dr2'))], reached('dr2'), fleet).map(({ host }) => host)).toEqual(['dr2']);
  });

  test('without a host of the role the check itself says so', () => {
    const nobody = { ...fleet, hosts: fleet.hosts.filter(({ role }) => role !== 'client') };
    expect(judge([bind(echo(['client']))], reached('dr1'), nobody)).toMatchObject([
      { status: 'not-run', found: 'nobody looked', from: 'client' },
    ]);
  });

  test('the check is given the facts of every reached host, whatever its role', () => {
    const names: string[] = [];
    const check: AnyCheck = {
      ...echo(['client']),
      expect: (_, __, context) => {
        names.push(...Object.keys(context.facts));
        return [];
      },
    };
    judge([bind(check)], reached('dr1', 'web1', 'probe'), fleet);
    expect(names).toEqual(['dr1', 'web1', 'probe']);
  });

  test('a finding about another host keeps the vantage point that the check names', () => {
    const about = (from?: Role): AnyCheck => ({
      ...echo(['client', 'director']),
      expect: () => [{ status: 'fail', host: 'web1', found: 'x', expected: 'y', fix: 'z', ...(from && { from }) }],
    });
    expect(judge([bind(about())], reached('probe'), fleet).at(-1)?.from).toBe('client');
    expect(judge([bind(about('director'))], reached('probe'), fleet).at(-1)?.from).toBe('director');
  });
});
