import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entrance } from '../../../src/checks/support/entrances.ts';
import { criticalValue, judgeSpread, type Share } from '../../../src/checks/support/spread.ts';

const shares = (...pairs: readonly (readonly [got: number, weight: number])[]): readonly Share[] =>
  pairs.map(([got, weight], index) => ({ host: `web${index + 1}`, weight, got }));

const verdict = (scheduler: Entrance['scheduler'], ...pairs: readonly (readonly [number, number])[]) =>
  judgeSpread(shares(...pairs), scheduler).verdict;

describe('criticalValue', () => {
  /** Table of χ² at p = 0.001. */
  test.each([
    [1, 10.828],
    [2, 13.816],
    [4, 18.467],
    [9, 27.877],
    [29, 58.301],
  ])('%i degrees of freedom: within 4 %% of %f', (degrees, table) => {
    expect(criticalValue(degrees) / table).toBeGreaterThan(0.99);
    expect(criticalValue(degrees) / table).toBeLessThan(1.04);
  });
});

describe('rr', () => {
  test('takes turns, whatever the weights', () => {
    expect(verdict('rr', [20, 1], [20, 3])).toBe('right');
    expect(verdict('rr', [10, 1], [30, 3])).toBe('right');
    expect(verdict('rr', [5, 1], [35, 3])).toBe('wrong');
  });

  test('one backend that gets everything is wrong', () => {
    expect(verdict('rr', [40, 1], [0, 1])).toBe('wrong');
  });

  test('one backend that gets everything of the smallest sample is wrong', () => {
    expect(verdict('rr', [12, 1], [0, 1])).toBe('wrong');
  });

  test('nothing is said of too few', () => {
    expect(verdict('rr', [11, 1], [0, 1])).toBe('unknown');
    expect(verdict('rr', [0, 1], [0, 1])).toBe('unknown');
  });
});

describe('wrr', () => {
  test('goes by weights', () => {
    expect(verdict('wrr', [10, 1], [30, 3])).toBe('right');
    expect(verdict('wrr', [20, 1], [20, 3])).toBe('wrong');
  });

  test('a backend of weight 0 gets nothing', () => {
    expect(verdict('wrr', [20, 1], [20, 1], [0, 0])).toBe('right');
    expect(verdict('wrr', [20, 1], [19, 1], [1, 0])).toBe('wrong');
  });
});

describe('other schedulers', () => {
  test('every backend gets some', () => {
    expect(verdict('wlc', [35, 1], [5, 1])).toBe('right');
    expect(verdict('sh', [35, 1], [5, 1])).toBe('right');
    expect(verdict('sh', [40, 1], [0, 1])).toBe('wrong');
  });

  test('where the connections of others count, one that gets nothing may be the busiest', () => {
    expect(verdict('wlc', [40, 1], [0, 1])).toBe('unknown');
    expect(verdict('lc', [40, 1], [0, 1])).toBe('unknown');
    expect(verdict('wlc', [39, 1], [1, 0])).toBe('wrong');
  });

  test('a backend that is due next to nothing may get nothing', () => {
    expect(verdict('wlc', [40, 100], [0, 1])).toBe('right');
  });

  test('failover sends everything to the largest weight', () => {
    expect(verdict('fo', [40, 2], [0, 1])).toBe('right');
    expect(verdict('fo', [39, 2], [1, 1])).toBe('wrong');
    expect(verdict('fo', [0, 2], [0, 1])).toBe('unknown');
  });

  test.each(['dh', 'lblc', 'lblcr', 'ovf', 'sed', 'nq', 'ip_hash'] as const)('what %s does is not predicted', (scheduler) => {
    expect(verdict(scheduler, [40, 1], [0, 1])).toBe('unknown');
  });
});

test('a spread within one of what is due is right, for any weights', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 6, max: 50 }), (all, rounds) => {
      const exact = all.map((weight) => [weight * rounds, weight] as const);
      expect(verdict('wrr', ...exact)).toBe('right');
      const [[first, weight] = [0, 1], ...rest] = exact;
      expect(verdict('wrr', [first + 1, weight], ...rest)).toBe('right');
    }),
  );
});

test('a backend that is left out is noticed, for any number of backends', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), (backends) => {
      const others = Array.from({ length: backends - 1 }, () => [40, 1] as const);
      expect(verdict('rr', [0, 1], ...others)).toBe('wrong');
    }),
  );
});
