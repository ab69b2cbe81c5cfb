import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesPattern } from '../../../src/tasks/support/path-pattern.ts';

test.each([
  ['net/ipv4/conf/*/arp_ignore', 'net/ipv4/conf/eth0.100/arp_ignore', true],
  ['net/ipv4/*/arp_ignore', 'net/ipv4/conf/all/arp_ignore', false],
  ['net/ipv4/conf/eth?/arp_*', 'net/ipv4/conf/eth0/arp_ignore', true],
  ['net/ipv4/conf/eth?/arp_*', 'net/ipv4/conf/eth10/arp_ignore', false],
  ['conf/[el]*', 'conf/eth0', true],
  ['conf/[!el]*', 'conf/eth0', false],
  ['conf/[a-f]th0', 'conf/eth0', true],
  ['conf/[z-a]', 'conf/a', false],
  ['conf/[', 'conf/[', true],
  ['**a**b', 'xaxb', true],
  ['*a*b', 'ba', false],
])('%s against %s: %s', (pattern, path, matches) => {
  expect(matchesPattern(pattern, path)).toBe(matches);
});

test('what has no wildcard matches itself alone', () => {
  const plain = fc.string().filter((text) => !/[*?[]/.test(text));
  fc.assert(
    fc.property(plain, plain, (one, other) => {
      expect(matchesPattern(one, one)).toBe(true);
      expect(matchesPattern(one, other)).toBe(one === other);
    }),
  );
});

test('a star stands for any text without a slash, anywhere', () => {
  const text = fc.string().filter((each) => !/[*?[/]/.test(each));
  fc.assert(
    fc.property(text, text, text, (before, inside, after) => {
      expect(matchesPattern(`${before}*${after}`, before + inside + after)).toBe(true);
    }),
  );
});

test('a pattern of many stars, which a hostile host may have, is no trap', () => {
  expect(matchesPattern(`${'*a'.repeat(2000)}b`, 'a'.repeat(4000))).toBe(false);
});
