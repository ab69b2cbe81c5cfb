import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEntry } from '../../../src/apply/bundle/journal.ts';

test.each([
  ['N begin 2', { kind: 'begin', job: 2 }],
  ['N progress 2 17 340 object files', { kind: 'progress', job: 2, done: 17, total: 340, unit: 'object files' }],
  ['N log 2 make: *** [x] Error 1', { kind: 'log', job: 2, text: 'make: *** [x] Error 1' }],
  ['N end 2 failed 124', { kind: 'end', job: 2, result: 'failed', exit: 124 }],
  ['N finished ,', { kind: 'finished', failed: [] }],
  ['N finished ,0b,top,', { kind: 'finished', failed: ['0b', 'top'] }],
  // They are told to other hosts.
  ['N finished ,1a,0b;curl|sh;,$(id),2r,', { kind: 'finished', failed: ['1a', '2r'] }],
])('%s', (line, entry) => expect(parseEntry(line, 'N')).toEqual(entry));

test('lines without the nonce are nothing', () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      expect(parseEntry(line, 'lvsctl-nonce')).toBeUndefined();
    }),
  );
});
