import { afterEach, expect, test, vi } from 'vitest';
import { holdLock } from '../../../src/apply/lock/hold-lock.ts';
import { lockAnswers } from '../../../src/apply/lock/lock-script.ts';
import { wedged } from '../../support/wedged.ts';

const owner = { run: 'one', who: 'one@control', command: 'lvsctl deploy' };

afterEach(() => {
  vi.useRealTimers();
});

test('a host that does not say whether it can be locked does not keep the others locked for ever', async () => {
  vi.useFakeTimers();
  const held = holdLock(
    wedged(() => 'Welcome\n'),
    owner,
    { last: '' },
  ).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(121_000);
  expect(await held).toMatchObject({ code: 'lock.silent', message: 'it did not say within 120 s whether it can be locked' });
});

test('of whoever has it a host can say so much and no more', () => {
  const parse = lockAnswers('N');
  const said = ['held 7', ...Array.from({ length: 1000 }, (_, number) => `owner ${number}${'x'.repeat(5000)}`), '.'];
  const lock = said.map((line) => parse(`N ${line}`)).at(-1);
  expect(lock).toMatchObject({ kind: 'held', lock: { silent: 7 } });
  expect(JSON.stringify(lock).length).toBeLessThan(4000);
});
