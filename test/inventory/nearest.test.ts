import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/inventory/nearest.ts';

const keys = ['address', 'interfaces', 'priority', 'weight', 'rip', 'dip', 'vars', 'ssh'];

describe('nearest', () => {
  it.each([
    ['prioritty', 'priority'],
    ['wieght', 'weight'],
    ['adress', 'address'],
    ['Interface', 'interfaces'],
    ['var', 'vars'],
    ['hssh', 'ssh'],
    ['rpi', 'rip'],
  ])('%s is meant to be %s', (word, meant) => {
    expect(nearest(word, keys)).toBe(meant);
  });

  it.each(['hobby', '', 'x', 'prio', 'a'.repeat(5000)])('%j resembles nothing', (word) => {
    expect(nearest(word, keys)).toBeUndefined();
  });

  it('prefers fewer slips, then the first', () => {
    expect(nearest('web', ['web22', 'web1', 'web2'])).toBe('web1');
  });

  it('finds any word with two neighbours swapped', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4, maxLength: 20, unit: fc.constantFrom(...'abcdefghij') }), fc.nat(), (word, at) => {
        const place = at % (word.length - 1);
        const swapped = word.slice(0, place) + word[place + 1] + word[place] + word.slice(place + 2);
        expect(nearest(swapped, ['0123456789', word])).toBe(word);
      }),
    );
  });
});
