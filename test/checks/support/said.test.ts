import fc from 'fast-check';
import { expect, test } from 'vitest';
import { heard } from '../../../src/checks/support/said.ts';
import { look } from './fleet.ts';

test('hands out what was said, by key and in order', () => {
  const said = heard(look('web1', 'a 1\nb\na  2 x\n\nend\n'));
  expect(said?.all('a')).toEqual(['1', ' 2 x']);
  expect(said?.first('b')).toBe('');
  expect(said?.first('c')).toBeUndefined();
});

test('an answer without its end is no answer', () => {
  const whole = 'address 1: lo    inet 127.0.0.1/8 scope host lo\nlink up\n\nend\n';
  fc.assert(
    fc.property(fc.nat(whole.length - 2), (length) => {
      expect(heard(look('web1', whole.slice(0, length)))).toBeUndefined();
    }),
  );
});

test('a probe that failed gave no answer, whatever it printed', () => {
  const { host, output } = look('web1', 'a 1\n\nend\n');
  expect(heard({ host, output: { ...output, exit: 2 } })).toBeUndefined();
});
